"""`GET /v1/feed` by cursor and as a stream, and `POST /v1/notices/{id}/answer`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse

from events.errors import DomainError, Forbidden
from events.refs import Ref
from services.doors.answers import Json, stored
from services.doors.context import Here, acts, reads
from services.doors.once import once
from services.doors.paging import Page
from services.doors.supplier.answering import AnswerBody, answer_notice
from services.doors.supplier.feed import Part, part_of

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
    `source`+`id`. `next_cursor` is never null: ask again with it later. `checkpoint` is a signed note of the whole feed
    at this moment: its size, its root, and the size of the log behind it. Keep the answers as they came:
    `lodestone verify-receipt` proves from them that no entry is missing.
    """
    part = part_of(here, _party(here), page.cursor, page.limit)
    items = [{"sequence": sequence, "event": stored(body)} for sequence, body in part.entries]
    last = part.entries[-1][0] if part.entries else part.after
    answer = {"items": items, "next_cursor": part.cursors.write(last), "has_more": part.more}
    return Json({**answer, "checkpoint": part.checkpoint})


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
    """Server-sent events: `id` is the cursor, `event` is notice, `data` the CloudEvent. Reconnect with Last-Event-ID.

    After them, and then every 15 seconds, `event: checkpoint` brings the signed checkpoint of the whole feed.
    """
    party = _party(here)
    first = part_of(here, party, last_event_id or cursor, BATCH)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_live(here, request, party, first), media_type="text/event-stream", headers=headers)


async def _live(here: Here, request: Request, party: Ref, part: Part) -> AsyncIterator[bytes]:
    """A part of the feed, then what comes, until the caller or the service goes or the log is another one."""
    quiet = 0.0
    yield b"retry: 2000\n\n" + _checkpoint(part)
    while not here.runtime.stopping.is_set() and not await request.is_disconnected():
        cursor = part.cursors.write(part.after)
        for sequence, body in part.entries:
            cursor = part.cursors.write(sequence)
            yield b"id: %s\nevent: notice\ndata: %s\n\n" % (cursor.encode(), body)
        quiet = 0.0 if part.entries else quiet + POLL_S
        if (part.entries and not part.more) or quiet >= KEEP_ALIVE_S:
            quiet = 0.0
            yield _checkpoint(part) or b": still here\n\n"
        if not part.more:
            await asyncio.sleep(POLL_S)
        try:
            part = await run_sync(part_of, here, party, cursor, BATCH)
        except DomainError:
            return


def _checkpoint(part: Part) -> bytes:
    if part.checkpoint is None:
        return b""
    return b"event: checkpoint\ndata: %s\n\n" % orjson.dumps({"checkpoint": part.checkpoint})


@router.post("/notices/{notice}/answer", summary="Answer a notice", status_code=201, response_model=dict[str, Any])
def answer(here: Answering, notice: str, body: AnswerBody) -> Json:
    """A named person of your party answers: received, acknowledged, can_meet_from, can_meet_with_deviation,
    cannot_meet or counter_proposal. Each answer is kept; the latest says how things stand.
    """
    return once(here, lambda: _answer(here, notice, body))


def _answer(here: Here, notice: str, body: AnswerBody) -> Json:
    position, event = answer_notice(here, _party(here), notice, body)
    return Json({"notice": notice, "answer": body.answer, "event": event, "position": position}, 201, position=position)
