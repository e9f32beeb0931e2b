"""The pages of review: the queue, a case, and the form that decides it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, select

from events.errors import Forbidden, Invalid, NotFound
from events.refs import parse_ref, ref_text
from events.rules import specs
from events.rules.access import may
from events.rules.proposals import AmendedLimit, CaseState, fold
from projections.folds.cases import Case
from projections.folds.correlation.rows import MotorResults
from projections.folds.genealogy.rows import Party
from projections.folds.specbook import RequirementRow
from services.doors.context import Here
from services.doors.pages.case_view import case_view, conclusion_words
from services.doors.pages.environment import render
from services.doors.pages.people import Page, Posted
from services.engine.enact import Decision, Desk
from services.engine.reading import rows as motors
from services.exchange.problems import invalid_input

router = APIRouter(include_in_schema=False)
Reader = Annotated[Here, Depends(Page("read"))]
CLOSED = frozenset({"enacted", "rejected", "withdrawn"})
MOST = 200


@router.get("/")
def queue_page(here: Reader) -> HTMLResponse:
    """What waits for a decision, and what was decided."""
    table = here.table(Case)
    with here.connect() as connection:
        rows = connection.execute(select(table).limit(MOST)).mappings().all()
    items = sorted((_item(row) for row in rows), key=lambda item: str(item["since"]), reverse=True)
    shown = {
        "open": [item for item in items if item["state"] not in CLOSED],
        "closed": [item for item in items if item["state"] in CLOSED],
        "synthetic": any(item["synthetic"] for item in items),
    }
    return render(here.request, "queue.html", shown)


def _item(row: RowMapping) -> dict[str, Any]:
    proposal = row["proposal"] or {}
    evidence = proposal.get("evidence") or {}
    return {
        "id": row["case"],
        "title": proposal.get("title") or row["title"],
        "conclusion": conclusion_words(proposal.get("conclusion")),
        "levels": list(dict.fromkeys(revision["level"] for revision in proposal.get("revisions") or ())),
        "motors": evidence.get("motors", 0),
        "lots": evidence.get("lots", 0),
        "state": row["state"],
        "since": row["changed_at"],
        "synthetic": bool(evidence.get("synthetic")),
        "decided_by": next((step["by"] for step in reversed(row["history"] or ()) if step["by"]), None),
    }


@router.get("/cases/{case}")
def case_page(case: str, here: Reader) -> HTMLResponse:
    """One case."""
    events = here.runtime.log.read_stream(f"proposals/{case}")
    state = fold(events)
    if state.state == "none":
        raise NotFound(f"There is no case '{case}'.")
    desk = Desk(here.runtime.log, here.runtime.projector)
    with here.connect() as connection:
        requirement = _requirement(here, connection, state)
        points = _points(here, connection, state, requirement)
        told = _told(here, connection, desk, state)
        related = _related(here, connection, state.related)
    view = case_view(state, events, points, requirement, told) | _rights(here, state) | {"related": related}
    return render(here.request, "case.html", {"case": view})


def _requirement(here: Here, connection: Connection, state: CaseState) -> Mapping[str, Any] | None:
    table = here.table(RequirementRow)
    query = select(table.c.text).where(table.c.requirement == state.requirement)
    found: Mapping[str, Any] | None = connection.execute(query).scalar()
    return found


def _points(
    here: Here, connection: Connection, state: CaseState, requirement: Mapping[str, Any] | None
) -> dict[str, list[float]]:
    """Single results by lot, of motors with magnets of one lot, that count for the requirement's metric."""
    if requirement is None:
        return {}
    table = here.table(MotorResults)
    points: dict[str, list[float]] = {}
    for motor in motors(connection, table, MotorResults, table.c.motor_type == ref_text(requirement["motor_type"])):
        rotors = motor.rotors
        for test in motor.tests:
            if test["metric"] != requirement["metric"] or test["reason"] is not None:
                continue
            magnets = rotors[test["rotor"]]["magnets"]
            if len(magnets) == 1:
                points.setdefault(magnets[0]["lot"], []).append(test["value"])
    return points


def _told(here: Here, connection: Connection, desk: Desk, state: CaseState) -> list[str]:
    """The names of the parties that the specifications of this round bind."""
    parties: set[str] = set()
    for revision in (state.proposal or {}).get("revisions") or ():
        current = specs.fold(here.runtime.log.read_stream(f"specs/{ref_text(revision['spec'])}"))
        named = [ref_text(party) for party in revision.get("suppliers") or ()]
        parties |= set(named) or {str(party) for party in desk.recipients(current, state)}
    table = here.table(Party)
    rows = connection.execute(select(table.c.party, table.c.name).where(table.c.party.in_(parties)))
    names = {row.party: row.name for row in rows}
    return sorted(names.get(party, parse_ref(party).id) for party in parties)


def _related(here: Here, connection: Connection, related: Sequence[str]) -> list[dict[str, Any]]:
    table = here.table(Case)
    rows = connection.execute(select(table.c.case, table.c.title).where(table.c.case.in_(list(related))))
    return [{"id": row.case, "title": row.title} for row in rows]


def _rights(here: Here, state: CaseState) -> dict[str, Any]:
    """What this person may do here, and why not."""
    cannot = None
    if not state.decidable:
        cannot = "There is nothing to decide: no proposal lies open in this case."
    elif not _may(here, "defer"):
        cannot = f"You are signed in as {here.principal.role}: engineers amend and defer, approvers decide."
    blocked = None
    if not _may(here, "approve"):
        blocked = "Only an approver approves or rejects."
    elif here.principal.name in (state.proposed_by, *state.amended_by):
        blocked = "You proposed or amended this; somebody else decides."
    revisions = (state.proposal or {}).get("revisions") or ()
    view = [{**item, "spec": ref_text(item["spec"]), "name": item["characteristic"]} for item in revisions]
    return {
        "can_decide": state.decidable,
        "cannot": cannot,
        "approve_blocked": blocked,
        "amendable": [item for item in view if item.get("new")],
    }


def _may(here: Here, action: Any) -> bool:
    try:
        may(here.principal, action)
    except Forbidden:
        return False
    return True


@router.post("/cases/{case}/decision")
def decide(
    case: str,
    here: Annotated[Here, Depends(Posted("read"))],
    version: Annotated[int, Form()],
    decision: Annotated[Decision, Form()],
    reason: Annotated[str, Form()],
    which: Annotated[str, Form()] = "",
    lower: Annotated[str, Form()] = "",
    upper: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """The form's decision, at the version that the page showed; the page again."""
    limits = [_amended(which, lower, upper)] if decision == "amend" else []
    desk = Desk(here.runtime.log, here.runtime.projector)
    decided = desk.decide(case, decision, version, here.principal, reason, limits)
    return RedirectResponse(f"/cases/{case}?min_position={decided.position}", 303)


def _amended(which: str, lower: str, upper: str) -> AmendedLimit:
    spec, _, rest = which.partition("|")
    characteristic, _, unit = rest.partition("|")
    try:
        sides = {"lower": float(lower) if lower else None, "upper": float(upper) if upper else None}
    except ValueError as error:
        raise Invalid(f"A limit is a number: '{lower or upper}' is none.") from error
    try:
        ref = parse_ref(spec).model_dump()
        return AmendedLimit.model_validate({"spec": ref, "characteristic": characteristic, "unit": unit, **sides})
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False)) from error
