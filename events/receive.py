"""Receiving: a posted CloudEvent is checked, attribute by attribute and field by field, and made ready to append."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import pydantic
from msgspec import ValidationError, convert, structs
from pydantic import BaseModel

from events.catalogue import CATALOGUE, EventType, find, line_of
from events.envelope import SERVICE_ATTRIBUTES, Draft, draft_of, parse_time
from events.errors import Fault, Invalid
from events.faults import refusal
from events.quick import quick

_ATTRIBUTE = re.compile(r"^[a-z0-9]{1,40}$")
_REQUIRED = ("specversion", "id", "source", "type", "time", "data")
_LONGEST = 512
_CONTENT_TYPES = {"application/json", "application/json; charset=utf-8"}

_STRUCTS = {name: quick(line.model) for name, line in CATALOGUE.items()}


class Received(NamedTuple):
    """A valid event: its catalogue line, and the draft to append."""

    line: EventType
    draft: Draft

    @property
    def data(self) -> BaseModel:
        """The data as their model, made when somebody asks: few do."""
        return self.line.model.model_validate_json(orjson.dumps(self.draft.event["data"]), strict=True)


def receive(event: object) -> Received:
    """Check a CloudEvent as parsed from JSON. Raises Invalid (or UnknownType) with one pointer per fault."""
    return (_received_as_usual(event) if type(event) is dict else None) or received_with_care(event)


def _received_as_usual(event: dict[str, Any]) -> Received | None:
    """An event as nearly all are, checked by the struct of its model; None for any other, a wrong one among them.

    It takes nothing that `received_with_care` would not, and makes the same of it at a third of the cost.
    """
    line = _as_usual(event)
    struct = None if line is None else _STRUCTS.get(line.type)
    if line is None or struct is None:
        return None
    try:
        parse_time(event["time"])
        data = convert(event["data"], struct)
        key = str(getattr(data, line.key))
        if "subject" in event or "partitionkey" in event or "replaces" in event["data"]:
            _check_identity(event, line.subject_of(data), key)
        draft = draft_of(event, f"{line.stream}/{key}", versioned=line.versioned)
        unusual = b"\\" in draft.canonical  # a quotation mark, or a control character, which no name may have
    except (Invalid, ValidationError, UnicodeEncodeError):
        return None
    return None if unusual else Received(line, draft)


def _as_usual(event: dict[str, Any]) -> EventType | None:
    """The line of an event whose attributes are all plain texts; None when they need a closer look."""
    if not _named_as_usual(tuple(event)) or type(event["data"]) is not dict or event["specversion"] != "1.0":
        return None
    for name, value in event.items():
        if name != "data" and (type(value) is not str or not 0 < len(value) <= _LONGEST or "\x00" in value):
            return None
    return CATALOGUE.get(event["type"])


@lru_cache(maxsize=1000)
def _named_as_usual(names: tuple[str, ...]) -> bool:
    """Whether all required attributes are among these, and no other than a client may send."""
    if "datacontenttype" in names or not set(names).issuperset(_REQUIRED):
        return False
    return all(isinstance(name, str) and _ATTRIBUTE.match(name) and name not in SERVICE_ATTRIBUTES for name in names)


def received_with_care(event: object) -> Received:
    """What `receive` does, one check after another, each fault named."""
    if not isinstance(event, Mapping):
        raise Invalid("An event is a JSON object with the CloudEvents attributes.")
    _check_attributes(event)
    line = find(event["type"])
    parse_time(event["time"])
    draft = draft_of(event, line.stream, versioned=line.versioned)
    draft.canonical  # noqa: B018 - what JSON cannot hold is refused here
    data = _data(line, event["data"])
    key = str(getattr(data, line.key))
    _check_identity(event, line.subject_of(data), key)
    return Received(line, structs.replace(draft, stream=f"{line.stream}/{key}"))


def _check_attributes(event: Mapping[str, Any]) -> None:
    faults = [Fault(f"/{name}", "required, and missing") for name in _REQUIRED if name not in event]
    for name, value in event.items():
        if name in SERVICE_ATTRIBUTES:
            faults.append(Fault(f"/{name}", "set by the service; leave it out"))
        elif name != "data" and not (isinstance(name, str) and _ATTRIBUTE.match(name)):
            faults.append(Fault(f"/{name}", "attribute names are lower-case ASCII letters and digits"))
        elif name != "data" and (not isinstance(value, str | int | bool) or value == ""):
            faults.append(Fault(f"/{name}", "an attribute is a non-empty string, an integer or a boolean"))
        elif name != "data" and isinstance(value, int) and not -(2**31) <= value < 2**31:
            faults.append(Fault(f"/{name}", "an integer attribute has 32 bits; write it as a string"))
    for name in ("id", "source", "type", "subject", "partitionkey"):
        value = event.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > _LONGEST or "\x00" in value):
            faults.append(Fault(f"/{name}", f"a string of at most {_LONGEST} characters"))
    if event.get("specversion", "1.0") != "1.0":
        faults.append(Fault("/specversion", 'CloudEvents 1.0 is spoken here: write "1.0"'))
    if str(event.get("datacontenttype", "application/json")).lower() not in _CONTENT_TYPES:
        faults.append(Fault("/datacontenttype", "the data is JSON: application/json"))
    if faults:
        names = ", ".join(fault.pointer for fault in faults)
        raise Invalid(f"The CloudEvents attributes are not right: {names}.", errors=faults)


def _data(line: EventType, data: object) -> BaseModel:
    """The data as its model. Strict, for what is stored is what was sent: a number in quotes would reach the folds."""
    try:
        return line.model.model_validate_json(orjson.dumps(data), strict=True)
    except pydantic.ValidationError as error:
        raise refusal(error, f"The data of {line.type}", "/data") from error


def _check_identity(event: Mapping[str, Any], subject: str, key: str) -> None:
    faults = []
    if event.get("subject", subject) != subject:
        faults.append(Fault("/subject", f"it names another thing than the data: write {subject}, or leave it out"))
    if event.get("partitionkey", key) != key:
        faults.append(Fault("/partitionkey", f"it names another thing than the data: write {key}, or leave it out"))
    replaces = getattr(event.get("data"), "get", lambda _: None)("replaces")
    if isinstance(replaces, Mapping) and replaces.get("source") != event["source"]:
        faults.append(Fault("/data/replaces/source", "a fact replaces only facts of its own source"))
    if isinstance(replaces, Mapping) and replaces == {"source": event["source"], "id": event["id"]}:
        faults.append(Fault("/data/replaces", "a fact cannot replace itself"))
    if faults:
        raise Invalid(f"The event contradicts itself: {faults[0].pointer} {faults[0].detail}.", errors=faults)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event that the service writes comes from: its source, instant, what caused it, in which trace."""

    source: str
    time: str
    correlation: str | None = None
    causation: str | None = None
    trace: str | None = None
    """The `traceparent` that it carries on (CloudEvents extension Distributed Tracing)."""


def draft(model: BaseModel, *, id: str | UUID, origin: Origin, subject: str | None = None) -> Draft:
    """The draft of an event that the service itself writes (a rule stream's, or the engine's conclusion)."""
    line = line_of(type(model))
    key = str(getattr(model, line.key))
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(id),
        "source": origin.source,
        "type": line.type,
        "subject": subject or line.subject_of(model),
        "time": origin.time,
        "partitionkey": key,
        "data": model.model_dump(mode="json", exclude_defaults=False),
    }
    if origin.correlation:
        event["correlationid"] = origin.correlation
    if origin.causation:
        event["causationid"] = origin.causation
    if origin.trace:
        event["traceparent"] = origin.trace
    return draft_of(event, f"{line.stream}/{key}", versioned=line.versioned)
