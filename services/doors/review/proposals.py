"""`/v1/proposals`: what waits for a decision, and the decision."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from projections.folds.cases import Case, state_of
from services.doors.answers import Json, etag
from services.doors.context import Here, acts, if_match, reads
from services.doors.once import once
from services.doors.paging import Page, keyed
from services.doors.review import showing
from services.doors.review.shapes import (
    CommentBody,
    DecisionAnswer,
    DecisionBody,
    OwnBody,
    ProposalPage,
    ProposalShape,
)
from services.engine.enact import Desk
from services.engine.orders import Orders, OwnProposal, subject_of

router = APIRouter(prefix="/v1/proposals", tags=["review"])
Reading = Annotated[Here, Depends(reads("read_proposals"))]


def desk(here: Here) -> Desk:
    """Where decisions are made."""
    return Desk(here.runtime.log, here.runtime.projector)


@router.get("", summary="Proposals", response_model=ProposalPage)
def list_proposals(
    here: Reading, page: Page, state: Annotated[str | None, Query(description="Only cases in this state.")] = None
) -> Json:
    """Every case with its open or last proposal, in the order in which they were opened."""
    table = here.table(Case)
    query = select(table) if state is None else select(table).where(table.c.state == state)
    with here.connect() as connection:
        return Json(keyed(connection, query, [table.c.opened_at, table.c.case], page, _shown))


def _shown(row: Any) -> dict[str, Any]:
    return showing.proposal(state_of(row))


@router.get("/{case}", summary="One proposal", response_model=ProposalShape)
def read_proposal(here: Reading, case: str) -> Json:
    """The case with its proposal; `ETag` is the version that a decision names. Read from the log itself."""
    state = desk(here).case(case)
    return Json(showing.whole(state), headers={"ETag": etag(state.version)})


@router.post("/{case}/decision", summary="Decide", response_model=DecisionAnswer)
def decide(here: Annotated[Here, Depends(acts("decide"))], case: str, body: DecisionBody) -> Json:
    """Approve, amend, reject or defer, each with a reason, under `If-Match: "<version>"` (428 without, 412 stale).

    The last approval issues the revised specifications and tells the suppliers in the same append. Nobody approves
    what they proposed or amended.
    """
    version = if_match(here.request)
    return once(here, lambda: _decide(here, case, version, body))


def _decide(here: Here, case: str, version: int, body: DecisionBody) -> Json:
    limits = [limit.amended() for limit in body.limits]
    made = desk(here).decide(case, body.decision, version, here.principal, body.reason, limits, body.until)
    answer = {
        "proposal": showing.proposal(desk(here).case(case)),
        "revisions": [{"spec": spec, "revision": revision} for spec, revision in made.revisions],
        "notices": list(made.notices),
        "position": made.position,
    }
    return Json(answer, headers={"ETag": etag(made.version)}, position=made.position)


@router.post("/{case}/comments", summary="Comment", status_code=201, response_model=dict[str, Any])
def comment(here: Annotated[Here, Depends(acts("comment"))], case: str, body: CommentBody) -> Json:
    """Say something on the case; changes neither its version nor its state."""
    return once(here, lambda: _comment(here, case, body))


def _comment(here: Here, case: str, body: CommentBody) -> Json:
    made = desk(here).comment(case, here.principal, body.comment)
    answer = {"case": case, "version": made.version, "position": made.position}
    return Json(answer, 201, {"ETag": etag(made.version)}, made.position)


@router.post("", summary="Propose", status_code=201, response_model=ProposalShape)
def propose(here: Annotated[Here, Depends(acts("propose"))], body: OwnBody) -> Json:
    """A person's own proposal: a case of its own with its first round. Another approver decides it."""
    return once(here, lambda: _propose(here, body))


def _propose(here: Here, body: OwnBody) -> Json:
    own = OwnProposal(
        title=body.title,
        reason=body.reason,
        revisions=[revision.proposed() for revision in body.revisions],
        requirement=body.requirement,
        item=body.item,
        suppliers=body.suppliers,
        effectivity=body.effectivity,
    )
    made = Orders(here.runtime.log).propose(own, here.principal)
    state = desk(here).case(subject_of(made.model))
    headers = {"ETag": etag(state.version), "Location": f"/v1/proposals/{state.case}"}
    return Json(showing.proposal(state), 201, headers, made.position)
