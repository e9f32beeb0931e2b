"""`POST /v1/events` in the three modes of CloudEvents, and what it refused: the quarantine."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, Query

from events.errors import Invalid
from events.rules.access import may_see_all
from services.doors.answers import Json
from services.doors.bench.shapes import EVENTS_BODY, BatchAnswer, ItemAnswer, QuarantinePage
from services.doors.context import Here, acts, reads
from services.doors.once import once
from services.doors.paging import Page, keyed
from services.exchange.cloudevents import read_http
from services.exchange.ingest import Answer, Ingest, Item
from services.exchange.quarantine import Quarantine, shown
from services.exchange.waiting import Waiting
from services.store.tables import quarantine

router = APIRouter(prefix="/v1", tags=["bench"])
Posting = Annotated[Here, Depends(acts("post_events"))]
Reading = Annotated[Here, Depends(reads("read_quarantine"))]
DryRun = Annotated[bool, Query(description="Check everything and store nothing.")]


@router.post(
    "/events",
    summary="Post events",
    response_model=BatchAnswer | ItemAnswer,
    responses={201: {"model": ItemAnswer}, 409: {"model": ItemAnswer}, 422: {"model": ItemAnswer}},
    openapi_extra={"requestBody": EVENTS_BODY},
)
def post_events(here: Posting, dry_run: DryRun = False) -> Json:
    """One event (structured or binary): 201 stored, 200 known already, 409 the same id with another payload,
    422 refused. A batch: always 200, with one answer for each event; a bad one does not sink the others.
    Retry only on 429 and 503: a retried event is answered `duplicate` with its first position.
    """
    return once(here, lambda: _post(here, dry_run))


def _post(here: Here, dry_run: bool) -> Json:
    headers = here.request.headers
    posted = read_http(headers.get("content-type"), headers.items(), here.body)
    answer = ingest_of(here)(posted.events, here.principal, dry_run=dry_run)
    _count(here, answer)
    if posted.mode == "batch":
        return Json(answer.answer(), position=answer.position)
    return single(answer.items[0], dry_run=dry_run)


def single(item: Item, *, dry_run: bool = False) -> Json:
    """The answer to one event: its item, under the status that says what became of it."""
    status = {"accepted": 200 if dry_run else 201, "duplicate": 200}.get(item.status)
    if status is None:
        status = int(item.problem["status"]) if item.problem else 422
    return Json(item.answer(), status, position=item.position)


def ingest_of(here: Here) -> Ingest:
    """Ingest on this service."""
    runtime = here.runtime
    seconds = runtime.metrics.append_seconds.observe
    return Ingest(runtime.log, Waiting(runtime.database), Quarantine(runtime.database, runtime.clock), seconds)


def _count(here: Here, answer: Answer) -> None:
    for status in ("accepted", "duplicate", "rejected"):
        here.runtime.metrics.events.labels(status).inc(answer.count(status))


@router.get("/quarantine", summary="Refused events", response_model=QuarantinePage)
def list_quarantine(here: Reading, page: Page) -> Json:
    """The events that were refused and not resolved, oldest first; benches and suppliers see their own."""
    query = Quarantine(here.runtime.database, here.runtime.clock).open(
        here.principal, all_principals=may_see_all(here.principal)
    )
    with here.connect() as connection:
        return Json(keyed(connection, query, [quarantine.c.received_at, quarantine.c.id], page, shown))


@router.post("/quarantine/{item}/resubmit", summary="Send a refused event again", response_model=ItemAnswer)
def resubmit(here: Posting, item: str, event: Annotated[dict[str, Any] | None, Body()] = None) -> Json:
    """Without a body the event as it was kept; with one, that corrected event in its place.

    It is checked as if the caller had posted it; once stored, the item leaves the quarantine.
    """
    return once(here, lambda: _resubmit(here, item, event))


def _resubmit(here: Here, item: str, event: dict[str, Any] | None) -> Json:
    kept = Quarantine(here.runtime.database, here.runtime.clock)
    row = kept.one(item, here.principal, all_principals=may_see_all(here.principal))
    if event is None:
        try:
            event = orjson.loads(row["event"])
        except orjson.JSONDecodeError as error:
            raise Invalid("What was kept is not JSON; send the corrected event as the body.") from error
    answer = ingest_of(here)((event,), here.principal)
    _count(here, answer)
    if answer.items[0].status != "rejected":
        kept.resolve(item)
    return single(answer.items[0])
