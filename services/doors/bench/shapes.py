"""The shapes of the bench door's answers, for OpenAPI and for whoever scripts against it (design.md §6)."""

from typing import Any, Literal

from pydantic import BaseModel

from events.catalogue import CATALOGUE
from services.exchange.cloudevents import BATCH, STRUCTURED


class FaultShape(BaseModel):
    """One place that is wrong: a JSON Pointer and a sentence."""

    pointer: str
    detail: str


class ProblemShape(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultShape] = []


class ItemAnswer(BaseModel):
    """What became of one event."""

    index: int
    id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    waiting: bool
    position: int | None
    problem: ProblemShape | None
    stored_hash: str | None = None
    received_hash: str | None = None


class BatchAnswer(BaseModel):
    """What became of a batch: accepted + duplicate + rejected = items; waiting is part of accepted."""

    accepted: int
    duplicate: int
    rejected: int
    waiting: int
    position: int | None
    items: list[ItemAnswer]


class QuarantineItem(BaseModel):
    """A refused event with its problem."""

    id: str
    received_at: str
    source: str | None
    event: Any
    problem: ProblemShape


class QuarantinePage(BaseModel):
    """A page of refused events."""

    items: list[QuarantineItem]
    next_cursor: str | None
    has_more: bool


_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string", "description": "Begins with the source prefix of the token."},
        "type": {"type": "string", "enum": sorted(name for name, line in CATALOGUE.items() if line.by)},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "description": "GET /v1/schemas/{type} gives its schema."},
    },
}

EVENTS_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        STRUCTURED: {"schema": _EVENT},
        BATCH: {"schema": {"type": "array", "items": _EVENT}},
        "application/json": {
            "schema": {"type": "object", "description": "Binary mode: the data; attributes in ce- headers."}
        },
    },
}
