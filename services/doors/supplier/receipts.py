"""`GET /v1/notices/{id}/receipt`: what a supplier keeps to show later what it was told, and when."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from events.refs import parse_ref
from services.doors.answers import Json
from services.doors.context import Here, own_party, reads
from services.doors.supplier.answering import issued
from services.doors.supplier.feed import stream_of
from services.store.sealing.receipts import receipt

router = APIRouter(prefix="/v1", tags=["supplier"])
PAUSE_S = 0.05


@router.get("/notices/{notice}/receipt", summary="The receipt of a notice", response_model=dict[str, Any])
def read_receipt(
    here: Annotated[Here, Depends(reads("read_feed"))],
    notice: str,
    wait_s: Annotated[float, Query(ge=0, le=60, description="How long to wait for the seal, in seconds.")] = 0.0,
) -> Json:
    """The stored notice with its proofs: it is in the log, at its number in your feed, under signed checkpoints.

    `lodestone verify-receipt FILE --key KEY` proves it offline, with the keys of `/.well-known/lodestone/keys`. A
    notice that was just appended is sealed at the next checkpoint: until then `sealed` is false.
    """
    party = parse_ref(own_party(here.principal))
    event = issued(here.runtime.log.read_stream(stream_of(party)), notice)
    deadline = time.monotonic() + min(wait_s, here.runtime.max_wait_s)
    while True:
        with here.runtime.database.snapshot() as connection:
            found = receipt(connection, str(party), event.position)
        if found["sealed"] or time.monotonic() >= deadline or here.runtime.stopping.is_set():
            return Json(found)
        time.sleep(PAUSE_S)
