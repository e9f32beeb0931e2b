"""The messages of the AsyncAPI document: headers, key and value of each."""

from collections.abc import Iterable
from typing import Any

from events.catalogue import CATALOGUE, EventType, stored_types, type_of
from events.rules.specs import SpecIssued, SpecRevised
from services.transports.kafka.asyncapi.schemas import SCHEMAS

STRUCTURED = "application/cloudevents+json"
SPECS = tuple(sorted(stored_types((type_of(SpecIssued), type_of(SpecRevised)))))
FEEDS = tuple(sorted(name for name, line in CATALOGUE.items() if line.stream == "feeds"))
POSTED = tuple(name for name, line in CATALOGUE.items() if line.by)
"""The types that others may publish."""
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
_HEADERS = {
    "content-type": {"type": "string", "description": "Structured mode: application/cloudevents+json; charset=UTF-8."},
    "lodestone-position": {**_NUMBER, "description": "The event's position in the log."},
    "lodestone-sequence": {**_NUMBER, "description": "The record's number in its partition: from 1, without a gap."},
    "lodestone-epoch": {**_NUMBER, "description": "Rises when the log was restored: what follows replaces what was."},
    "traceparent": {"type": "string", "description": "W3C Trace Context, where the event has one."},
    "lodestone-token": {"type": "string", "description": "The token of who publishes, unless the topic is trusted."},
    "lodestone-reason": {"type": "string", "description": "Why it was refused, in one sentence."},
    "lodestone-problem": {"type": "string", "description": "The same as problem details (RFC 9457), in JSON."},
    "lodestone-quarantine": {"type": "string", "description": "Where the service keeps it, to be sent again."},
    "lodestone-topic": {"type": "string", "description": "Where it came from."},
    "lodestone-partition": {**_NUMBER, "description": "Where it came from."},
    "lodestone-offset": {**_NUMBER, "description": "Where it came from."},
}


def messages() -> dict[str, Any]:
    """Every message by its name in the document: types of the log, the same as told, changed and posted, and ours."""
    log = ("content-type", "lodestone-position", "lodestone-sequence", "lodestone-epoch")
    changed, told = ("content-type", "lodestone-position", "lodestone-epoch"), ("content-type", "lodestone-epoch")
    optional = ("lodestone-token", "traceparent")
    made = {
        name: _event(line, "StoredEvent", log, ("traceparent",), "partitionkey") for name, line in CATALOGUE.items()
    }
    made |= {f"changed.{one}": _event(CATALOGUE[one], "StoredEvent", changed, (), "issuer:id") for one in SPECS}
    made |= {f"told.{one}": _event(CATALOGUE[one], "StoredEvent", told, (), "the notice's id") for one in FEEDS}
    for one in POSTED:
        made[f"posted.{one}"] = _event(CATALOGUE[one], "PostedEvent", ("content-type",), optional, "any, or none")
    return made | _rejected() | _current() | _progress()


def _rejected() -> dict[str, Any]:
    names = ("reason", "problem", "quarantine", "topic", "partition", "offset")
    return {
        "rejected": {
            "title": "An event that was refused, as it came",
            "headers": _headers([f"lodestone-{name}" for name in names], ()),
            "payload": {"description": "The value as it came, which may be anything."},
            "bindings": _key("as it came"),
        }
    }


def _current() -> dict[str, Any]:
    key = _key("<spec>/<characteristic>, or <spec>/sourcing; spec is issuer:id, each part percent-encoded")
    headers = _headers(("content-type", "lodestone-position", "lodestone-epoch"), ())
    plain = {"contentType": "application/json", "headers": headers, "bindings": key}
    limit = {"$ref": f"{SCHEMAS}CurrentLimit"}
    gone = "A tombstone: the last revision has no such limit any more"
    return {
        "currentLimit": {"title": "A limit of the last revision, or its sourcing", **plain, "payload": limit},
        "goneLimit": {"title": gone, **plain, "payload": {"type": "null"}},
    }


def _progress() -> dict[str, Any]:
    return {
        "progress": {
            "title": "How far the relay is",
            "contentType": "application/json",
            "headers": _headers(("content-type",), ()),
            "payload": {"$ref": f"{SCHEMAS}Progress"},
            "bindings": _key("always `relay`"),
        }
    }


def _event(
    line: EventType, envelope: str, required: Iterable[str], optional: Iterable[str], key: str
) -> dict[str, Any]:
    said = {"type": {"const": line.type}, "data": {"$ref": f"{SCHEMAS}{line.type}"}}
    return {
        "name": line.type,
        "title": " ".join((line.model.__doc__ or "").split()),
        "contentType": STRUCTURED,
        "headers": _headers(required, optional),
        "payload": {"allOf": [{"$ref": f"{SCHEMAS}{envelope}"}, {"type": "object", "properties": said}]},
        "bindings": _key(key),
    }


def _headers(required: Iterable[str], optional: Iterable[str]) -> dict[str, Any]:
    names = list(required)
    return {
        "type": "object",
        "required": names,
        "properties": {name: _HEADERS[name] for name in (*names, *optional)},
    }


def _key(what: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": what}, "bindingVersion": "0.5.0"}}
