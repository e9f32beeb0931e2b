"""The page of a supplier's feed: what it was told, in order, what it answered, and a form to answer."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import select

from events.catalogue import type_of
from events.envelope import Recorded
from events.errors import Forbidden, Invalid
from events.refs import Ref, parse_ref, ref_text
from events.rules.notices import NoticeAnswered, NoticeIssued
from events.vocabulary import characteristics
from projections.folds.genealogy.rows import Party
from services.doors.context import Here, own_party
from services.doors.drawings import number
from services.doors.pages.environment import render
from services.doors.pages.filters import unit
from services.doors.pages.people import Page, Posted
from services.doors.supplier.answering import AnswerBody, answer_notice
from services.doors.supplier.feed import stream_of
from services.exchange.problems import invalid_input
from services.store.sealing.checkpoints import sealed_size

router = APIRouter(include_in_schema=False)
WORDS = {
    "received": "received",
    "acknowledged": "read",
    "can_meet_from": "can be met",
    "can_meet_with_deviation": "can be met with a deviation",
    "cannot_meet": "cannot be met",
    "counter_proposal": "counter-proposal",
}
TONES = {"acknowledged": "good", "can_meet_from": "good", "received": "info", "cannot_meet": "bad"}


@router.get("/feed")
def feed_page(
    here: Annotated[Here, Depends(Page("read_feed"))], party: Annotated[str | None, Query()] = None
) -> HTMLResponse:
    """A supplier's own feed; a reviewer chooses one by `party`."""
    own = here.principal.role == "supplier"
    if own and party is not None and str(parse_ref(party)) != own_party(here.principal):
        raise Forbidden("This feed is not yours.")
    if not own and party is None:
        return _choose(here)
    ref = parse_ref(own_party(here.principal) if own or party is None else party)
    events = here.runtime.log.read_stream(stream_of(ref))
    with here.connect() as connection:
        sealed = sealed_size(connection)
    notices = [_notice(event, events, sealed) for event in events if event.type == type_of(NoticeIssued)]
    context = {
        "party": {"name": _named(here, ref)},
        "notices": list(reversed(notices)),
        "may_answer": own,
        "synthetic": any(notice["synthetic"] for notice in notices),
    }
    return render(here.request, "feed.html", context)


def _named(here: Here, ref: Ref) -> str:
    table = here.table(Party)
    with here.connect() as connection:
        return connection.execute(select(table.c.name).where(table.c.party == str(ref))).scalar() or ref.id


def _choose(here: Here) -> HTMLResponse:
    table = here.table(Party)
    with here.connect() as connection:
        rows = connection.execute(select(table.c.party, table.c.name, table.c.kinds).order_by(table.c.name)).all()
    parties = [{"party": row.party, "name": row.name} for row in rows if "supplier" in row.kinds]
    return render(here.request, "feeds.html", {"parties": parties})


def _notice(event: Recorded, events: Sequence[Recorded], sealed: int) -> dict[str, Any]:
    data = event.data
    answers = [e for e in events if e.type == type_of(NoticeAnswered) and e.data["notice"] == data["notice"]]
    last = answers[-1].data["answer"] if answers else None
    return {
        **data,
        "spec": ref_text(data["spec"]),
        "sequence": event.stream_version,
        "effective": data["effectivity"]["date"],
        "changes": [_change(item) for item in data.get("changes") or ()],
        "answer": WORDS.get(last, last) if last else None,
        "tone": TONES.get(last or "", "warn"),
        "answers": [_answer(item) for item in answers],
        "synthetic": bool(data.get("synthetic")),
        "recorded": event.recorded_time,
        "sealed": event.position <= sealed,
    }


def _change(item: Mapping[str, Any]) -> dict[str, Any]:
    sides = []
    code = unit((item.get("new") or item.get("old") or {"unit": "1"})["unit"])
    if item.get("acceptance_lower") is not None:
        sides.append(f"≥ {number(item['acceptance_lower'], 5)}")
    if item.get("acceptance_upper") is not None:
        sides.append(f"≤ {number(item['acceptance_upper'], 5)}")
    acceptance = f"{', '.join(sides)} {code}" if sides else "—"
    return {**item, "name": characteristics.find(item["characteristic"]).name, "acceptance": acceptance}


def _answer(event: Recorded) -> dict[str, Any]:
    data = event.data
    parts = [f"from {data['from_date']}" if data.get("from_date") else "", data.get("reason") or ""]
    return {
        "answer": data["answer"],
        "person": data["person"],
        "time": event.recorded_time,
        "text": ". ".join(part for part in parts if part),
    }


@router.post("/feed/{notice}/answer")
def answer(
    notice: str,
    here: Annotated[Here, Depends(Posted("answer_notice"))],
    answer: Annotated[str, Form()],
    person: Annotated[str, Form()],
    from_date: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """The form's answer; the page again."""
    content = {"answer": answer, "person": person, "from_date": from_date or None, "reason": reason or None}
    try:
        body = AnswerBody.model_validate(content)
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False)) from error
    if answer == "can_meet_from" and not from_date:
        raise Invalid("Say from which date you can meet it.")
    answer_notice(here, parse_ref(own_party(here.principal)), notice, body)
    return RedirectResponse(f"/feed#notice-{notice}", 303)
