"""The envelope of an event: CloudEvents 1.0 as received, as a draft to append, and as recorded in the log."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

import orjson
from msgspec import Raw, Struct, ValidationError
from msgspec.json import Decoder
from msgspec.structs import force_setattr, replace

from events.canonical import hashed
from events.errors import Fault, Invalid

SERVICE_ATTRIBUTES = ("recordedtime", "stream", "streamversion", "sequence")
"""Set by the service; posted by a client they are refused."""

_TRACING = ("traceparent", "tracestate")
_IN_UTC = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,6}))?(?:Z|\+00:00)"
).fullmatch

P = TypeVar("P")
Part = Callable[[bytes | Raw], P]
"""Makes of JSON what somebody wants to know of it: the `decode` of a msgspec.json.Decoder."""

EARLIEST, LATEST = 1900, 9000
"""Years that a time may have: within them every offset can be brought to UTC, and text order is time order."""


class Draft(Struct, frozen=True, eq=False, gc=False):
    """An event ready to append: the CloudEvent as received and the stream it belongs to.

    `event` holds no service attribute. `versioned` streams (those of rules) number their events. `kept` holds the
    canonical bytes once somebody asked for them: they are hashed, and stored, and made once. Whether two are of the
    same event says their content hash.
    """

    event: Mapping[str, Any]
    stream: str
    versioned: bool
    kept: bytes | None = None

    @property
    def source(self) -> str:
        return str(self.event["source"])

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def canonical(self) -> bytes:
        """The canonical bytes that the content hash is over. Raises Invalid for what JSON cannot hold."""
        kept = self.kept
        if kept is None:
            kept = hashed(self.event)
            force_setattr(self, "kept", kept)
        return kept

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of the canonical bytes (32 bytes). Raises Invalid for what JSON cannot hold."""
        return sha256(self.canonical).digest()


class Recorded(
    Struct,
    frozen=True,
    kw_only=True,
    gc=False,  # a tree of plain values: there is no cycle to look for
    rename={
        "position": "(position)",  # no attribute of an event can have this name: it is not in the bytes
        "recorded_time": "recordedtime",
        "stream_version": "streamversion",
        "partition_key": "partitionkey",
        "correlation_id": "correlationid",
        "causation_id": "causationid",
        "text": "data",
        "parsed": "(data)",
        "corrects": "(corrects)",
    },
):
    """An event as the log holds it; `data` is the stored JSON, upcast, never validated again.

    `time` and `recorded_time` are RFC 3339 in UTC with microseconds, so text order is time order. The two that a client
    may send as a number or a truth value are as it sent them.

    Most of what is done with an event reads little of its data: they stay text until somebody asks for them, or for a
    part of them by `read`. `corrects` is false where they surely name no fact that this one replaces.
    """

    position: int = 0
    type: str
    source: str
    id: str
    subject: str = ""
    time: str
    recorded_time: str
    stream: str
    stream_version: int | None = None
    partition_key: str = ""
    correlation_id: Any = None
    causation_id: Any = None
    text: Raw = Raw()
    parsed: Any = None
    corrects: bool = True

    @property
    def data(self) -> Mapping[str, Any]:
        """The data as plain values, made when they are first asked for."""
        parsed: Mapping[str, Any] | None = self.parsed
        if parsed is None:
            parsed = _parsed(self.text)
            force_setattr(self, "parsed", parsed)
        return parsed

    def with_data(self, data: Mapping[str, Any], **others: Any) -> "Recorded":
        """The event with these data, and others of its attributes, in place of its own."""
        return replace(self, text=Raw(), parsed=data, corrects=True, **others)

    def read(self, part: "Part[P]") -> P:
        """What this decoder makes of the data. Raises Invalid where they are not as it expects them."""
        try:
            return part(self.text or orjson.dumps(self.parsed))
        except ValidationError as error:
            raise Invalid(f"The data of this {self.type} are not as they should be: {error}.") from error


def utc_text(moment: datetime) -> str:
    """The instant as RFC 3339 in UTC with microseconds. Raises Invalid for a naive time."""
    if moment.tzinfo is None:
        raise Invalid("A time has no offset; write RFC 3339 with an offset, e.g. 2026-03-01T08:00:00+01:00.")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _utc(text: str) -> str:
    """`utc_text` of a stored time; one that is in UTC already, as most are, is not parsed."""
    if text[19:] == "+00:00" and text[10] == "T" and text[7] == "-":  # as benches write it
        return text[:19] + ".000000Z"
    found = _IN_UTC(text)
    if found is None:
        return utc_text(datetime.fromisoformat(text))
    fraction = found[1]
    return text[:19] + ".000000Z" if fraction is None else f"{text[:19]}.{fraction:0<6}Z"


def parse_time(text: object, pointer: str = "/time") -> datetime:
    """The instant written in RFC 3339 with an offset. Raises Invalid with the pointer otherwise."""
    if not isinstance(text, str) or len(text) < 19 or text[10] not in "Tt ":
        raise Invalid("The time is not RFC 3339.", errors=[Fault(pointer, "write e.g. 2026-03-01T08:00:00+01:00")])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("The time is not RFC 3339.", errors=[Fault(pointer, str(error))]) from error
    if moment.tzinfo is None:
        fault = Fault(pointer, "the time has no offset; write e.g. 2026-03-01T08:00:00+01:00")
        raise Invalid("The time has no offset.", errors=[fault])
    if not EARLIEST <= moment.year <= LATEST:
        fault = Fault(pointer, f"the year lies outside {EARLIEST} to {LATEST}")
        raise Invalid("The time cannot be right.", errors=[fault])
    return moment


def stored_bytes(draft: Draft, recorded_time: str, stream_version: int | None) -> bytes:
    """The bytes that the log keeps and the leaf hashes: the canonical bytes, then what the hash leaves out, then the
    service's attributes, so that both hashes are over the same bytes, written once.
    """
    event, traced, numbered = draft.event, b"", b""
    for name in _TRACING:
        if name in event:
            traced += b',"%b":%b' % (name.encode(), orjson.dumps(event[name]))
    if stream_version is not None:
        numbered = b',"streamversion":"%d"' % stream_version
        if draft.stream.startswith("feeds/"):
            numbered += b',"sequence":"%012d"' % stream_version
    added = (draft.canonical[:-1], traced, recorded_time.encode(), orjson.dumps(draft.stream), numbered)
    return b'%b%b,"recordedtime":"%b","stream":%b%b}' % added


_recorded = Decoder(Recorded, strict=False).decode  # versions are decimal strings on the wire
_parsed = Decoder().decode


def decode(position: int, body: bytes) -> Recorded:
    """The recorded event in these stored bytes."""
    made = _recorded(body)
    force_setattr(made, "position", position)
    force_setattr(made, "time", _utc(made.time))
    text = bytes(made.text)  # by themselves, so that the rest of the body is let go
    force_setattr(made, "text", text)
    force_setattr(made, "corrects", b'"replaces":' in text)
    if not made.partition_key:
        force_setattr(made, "partition_key", made.stream.partition("/")[2])
    return made


def draft_of(event: Mapping[str, Any], stream: str, *, versioned: bool) -> Draft:
    """A draft of this CloudEvent for this stream; its bytes are made when somebody asks for them."""
    return Draft(event=event, stream=stream, versioned=versioned)
