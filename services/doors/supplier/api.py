"""`GET /v1/feed` by cursor and as a stream, and `POST /v1/notices/{id}/answer`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse

from events.errors import DomainError, Forbidden
from events.refs import Ref
from services.doors.answers import Json, stored
from services.doors.context import Here, acts, reads
from services.doors.once import once
from services.doors.paging import Asked, Page, numbered
from services.doors.supplier.answering import AnswerBody, answer_notice
from services.doors.supplier.feed import entries

router = APIRouter(prefix="/v1", tags=["supplier"])
Reading = Annotated[Here, Depends(reads("read_feed"))]
Answering = Annotated[Here, Depends(acts("answer_notice"))]
BATCH = 100
POLL_S = 0.5
KEEP_ALIVE_S = 15.0


def _party(here: Here) -> Ref:
    """The caller's own party. Raises Forbidden for who belongs to none."""
    if here.principal.party is None:
        raise Forbidden("The feed is for a party; your token belongs to none.")
    return here.principal.party


@router.get("/feed", summary="Your feed", response_model=dict[str, Any])
def read_feed(here: Reading, page: Page) -> Json:
    """Items are `{sequence, event}`: what your party was told and what it answered, and nothing of another.

    Delivery is at least once; order is guaranteed through the gap-free `sequence`; receivers dedupe on
    `source`+`id`. `next_cursor` is never null: ask again with it later.
    """
    after = page.number()
    found = entries(here.runtime.database, _party(here), after, page.limit + 1)
    items = [{"sequence": sequence, "event": stored(body)} for sequence, body in found]
    return Json(numbered(items, after, page.limit, lambda item: int(item["sequence"])))


@router.get(
    "/feed/stream",
    summary="Your feed, live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
)
def stream_feed(
    here: Reading,
    request: Request,
    cursor: str | None = None,
    last_event_id: Annotated[str | None, Header(description="The `id` of the last entry you have.")] = None,
) -> StreamingResponse:
    """Server-sent events: `id` is the cursor, `event` the type, `data` the CloudEvent. Reconnect with Last-Event-ID."""
    after = Asked(last_event_id or cursor, BATCH).number()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_live(here, request, _party(here), after), media_type="text/event-stream", headers=headers)


async def _live(here: Here, request: Request, party: Ref, after: int) -> AsyncIterator[bytes]:
    """The entries after a number, then those that come, until the caller or the service goes."""
    quiet = 0.0
    yield b"retry: 2000\n\n"
    while not here.runtime.stopping.is_set() and not await request.is_disconnected():
        try:
            found = await run_sync(entries, here.runtime.database, party, after, BATCH)
        except DomainError:
            return
        for sequence, body in found:
            after = sequence
            yield b"id: %d\nevent: notice\ndata: %s\n\n" % (sequence, body)
        quiet = 0.0 if found else quiet + POLL_S
        if quiet >= KEEP_ALIVE_S:
            quiet = 0.0
            yield b": still here\n\n"
        if not found:
            await asyncio.sleep(POLL_S)


@router.post("/notices/{notice}/answer", summary="Answer a notice", status_code=201, response_model=dict[str, Any])
def answer(here: Answering, notice: str, body: AnswerBody) -> Json:
    """A named person of your party answers: received, acknowledged, can_meet_from, can_meet_with_deviation,
    cannot_meet or counter_proposal. Each answer is kept; the latest says how things stand.
    """
    return once(here, lambda: _answer(here, notice, body))


def _answer(here: Here, notice: str, body: AnswerBody) -> Json:
    position, event = answer_notice(here, _party(here), notice, body)
    return Json({"notice": notice, "answer": body.answer, "event": event, "position": position}, 201, position=position)
