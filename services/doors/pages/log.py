"""The page of the log: every event, newest first."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from projections.inference.why.sentences import sentence
from services.doors.context import Here
from services.doors.pages.environment import render
from services.doors.pages.people import Page
from services.store.sealing.ledger.parking import PARKED, RELEASED

router = APIRouter(include_in_schema=False)
Auditor = Annotated[Here, Depends(Page("read_audit"))]
PAGE = 100


@router.get("/audit")
def log_page(here: Auditor, before: Annotated[int | None, Query(ge=1)] = None) -> HTMLResponse:
    """A page of the log that ends before a position."""
    log = here.runtime.log
    head = log.head()
    last = head if before is None else min(before - 1, head)
    events = log.read(max(last - PAGE, 0), PAGE, last)
    items = [
        {
            "position": event.position,
            "type": event.type,
            "said": sentence(event, "") if event.type in (PARKED, RELEASED) else None,
            "subject": event.subject or event.stream,
            "source": event.source,
            "time": event.time,
            "recorded": event.recorded_time,
        }
        for event in reversed(events)
    ]
    older = events[0].position if events and events[0].position > 1 else None
    newer = min(last + PAGE, head) + 1 if last < head else None
    return render(here.request, "audit.html", {"items": items, "head": head, "older": older, "newer": newer})
