"""The pages of specifications: all of them, one with its history, and why a limit is what it is."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from events.envelope import Recorded
from events.errors import NotFound
from events.refs import parse_ref, ref_text
from events.vocabulary import characteristics
from projections.folds.specbook import SpecHead
from services.doors.audit.why import why_of
from services.doors.context import Here
from services.doors.drawings import number
from services.doors.pages.environment import render
from services.doors.pages.filters import name, unit
from services.doors.pages.people import Page

router = APIRouter(include_in_schema=False)
Reader = Annotated[Here, Depends(Page("read"))]
GROUPS = {
    "requirement": "The requirement",
    "source": "Changes of source",
    "lot": "Lots",
    "motor": "Motors",
    "result": "Results",
    "certificate": "Certificates and process records",
    "prior": "Sensitivities and policy",
    "statistic": "Statistics",
    "proposal": "Proposals",
    "decision": "Decisions",
    "revision": "Revisions",
    "notice": "Notices",
    "answer": "Answers",
}


@router.get("/specs")
def specs_page(here: Reader) -> HTMLResponse:
    """Every specification."""
    table = here.table(SpecHead)
    with here.connect() as connection:
        rows = connection.execute(select(table.c.spec).order_by(table.c.level, table.c.spec)).scalars().all()
    shown = []
    for spec in rows:
        newest = here.runtime.log.read_stream(f"specs/{spec}")[-1].data
        shown.append({"spec": spec, **_head(newest)})
    return render(here.request, "specs.html", {"specs": shown})


def _head(data: Mapping[str, Any]) -> dict[str, Any]:
    suppliers = [name(ref_text(item)) for item in data.get("suppliers") or ()]
    return {
        "level": data["level"],
        "item": ref_text(data["item"]),
        "revision": data["revision"],
        "binds": ", ".join(suppliers) or "all suppliers",
        "effective": data["effectivity"]["date"],
        "synthetic": data.get("origin") == "synthetic",
    }


@router.get("/specs/{spec}")
def spec_page(spec: str, here: Reader) -> HTMLResponse:
    """One specification: limits in force, and every revision with what it changed."""
    ref = str(parse_ref(spec))
    events = here.runtime.log.read_stream(f"specs/{ref}")
    if not events:
        raise NotFound(f"There is no specification {spec}.")
    newest = events[-1].data
    view = {
        "spec": ref,
        **_head(newest),
        "sourcing": newest.get("sourcing"),
        "limits": [_limit(item) for item in newest.get("limits") or ()],
        "revisions": _revisions(events),
    }
    return render(here.request, "spec.html", {"spec": view})


def _limit(item: Mapping[str, Any]) -> dict[str, Any]:
    temperature = item.get("temperature")
    return {
        **item,
        "name": characteristics.find(item["characteristic"]).name,
        "temperature": f"{number(temperature['value'], 4)} {unit(temperature['unit'])}" if temperature else None,
    }


def _revisions(events: Sequence[Recorded]) -> list[dict[str, Any]]:
    steps = [(None, events[0]), *pairwise(events)]
    shown = []
    for before, event in reversed(steps):
        data = event.data
        shown.append(
            {
                "revision": data["revision"],
                "time": event.recorded_time,
                "effective": data["effectivity"]["date"],
                "reason": data["reason"],
                "case": data.get("case"),
                "changes": _changes(before.data, data) if before else [],
            }
        )
    return shown


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    old = {item["characteristic"]: item["limits"] for item in before.get("limits") or ()}
    return [
        {
            "name": characteristics.find(item["characteristic"]).name,
            "old": old.get(item["characteristic"]),
            "new": item["limits"],
        }
        for item in after.get("limits") or ()
        if old.get(item["characteristic"]) != item["limits"]
    ]


@router.get("/why/{spec}/{characteristic}")
def why_page(spec: str, characteristic: str, here: Reader) -> HTMLResponse:
    """The events behind one limit, in groups."""
    found = why_of(here, str(parse_ref(spec)), characteristic)
    events = found["events"]
    groups = [
        {"title": title, "events": part}
        for role, title in GROUPS.items()
        if (part := [event for event in events if event["role"] == role])
    ]
    newest = here.runtime.log.read_stream(f"specs/{parse_ref(spec)}")[-1].data
    context = {
        "spec": str(parse_ref(spec)),
        "name": characteristics.find(characteristic).name,
        "revision": found["revision"],
        "events": events,
        "groups": groups,
        "synthetic": newest.get("origin") == "synthetic",
    }
    return render(here.request, "why.html", context)
