"""`GET /v1/events`: the log as it is stored, byte for byte; and the schema of every event type."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from events.catalogue import CATALOGUE, find
from events.errors import NotFound
from events.schema import json_schema
from services.doors.answers import Json, stored
from services.doors.audit.why import why_of
from services.doors.context import Here, reads
from services.doors.cursors import log_cursors
from services.doors.paging import Page, numbered
from services.doors.path import reference

router = APIRouter(prefix="/v1", tags=["audit"])
Reading = Annotated[Here, Depends(reads("read_events"))]
Anyone = Annotated[Here, Depends(reads("read_schemas"))]
Listed = dict[str, Any]


@router.get("/events", summary="The log", response_model=Listed)
def list_events(here: Reading, page: Page) -> Json:
    """Items are `{position, event}` in the order of the log; `next_cursor` is never null: ask again with it later."""
    with here.connect() as connection:
        cursors = log_cursors(connection)
    after = cursors.read(page.cursor)
    rows = here.runtime.log.read_bytes(after, page.limit + 1)
    items = [{"position": position, "event": stored(body)} for position, body in rows]
    return Json(numbered(items, after, page.limit, "position", cursors.write))


@router.get("/events/{position}", summary="One event of the log", response_model=Listed)
def read_event(here: Reading, position: Annotated[int, Path(ge=1, le=2**62)]) -> Json:
    """The event at a position, as it is stored."""
    body = here.runtime.log.body(position)
    if body is None:
        raise NotFound(f"The log has no position {position}; it ends at {here.runtime.log.head()}.")
    return Json({"position": position, "event": stored(body)})


@router.get("/why/{spec}/{characteristic}", summary="Why a limit is what it is", response_model=Listed)
def why(here: Annotated[Here, Depends(reads("read_audit"))], spec: str, characteristic: str) -> Json:
    """The unbroken chain behind one limit: results and their motors, lots, certificates, requirement, priors,
    statistics, proposal, decision, revision, notices and answers, each with position, time and one sentence.
    """
    return Json(why_of(here, reference(spec), characteristic))


@router.get("/schemas", summary="Event types", response_model=Listed)
def list_schemas(here: Anyone) -> Json:
    """Every event type with its version, who may post it, and the path of its schema."""
    items = [
        {
            "type": name,
            "title": line.model.__name__,
            "description": (line.model.__doc__ or "").strip(),
            "by": sorted(line.by),
            "schema": f"/v1/schemas/{name}",
        }
        for name, line in sorted(CATALOGUE.items())
    ]
    return Json({"items": items, "next_cursor": None, "has_more": False})


@router.get("/schemas/{type}", summary="Schema of an event type", response_model=Listed)
def read_schema(here: Anyone, type: str) -> Json:
    """JSON Schema 2020-12 of the whole CloudEvent."""
    if type not in CATALOGUE:
        raise NotFound(f"There is no event type '{type}'; GET /v1/schemas lists them.")
    return Json(json_schema(find(type).type), media_type="application/schema+json")
