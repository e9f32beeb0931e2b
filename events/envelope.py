"""The envelope of an event: CloudEvents 1.0 as received, as a draft to append, and as recorded in the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from events.canonical import content_hash
from events.errors import Fault, Invalid

SERVICE_ATTRIBUTES = ("recordedtime", "stream", "streamversion", "sequence")
"""Set by the service; posted by a client they are refused."""

EARLIEST, LATEST = 1900, 9000
"""Years that a time may have: within them every offset can be brought to UTC, and text order is time order."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event ready to append: the CloudEvent as received and the stream it belongs to.

    `event` holds no service attribute. `versioned` streams (those of rules) number their events.
    """

    event: Mapping[str, Any]
    stream: str
    versioned: bool
    content_hash: bytes

    @property
    def source(self) -> str:
        return str(self.event["source"])

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log holds it; `data` is the stored JSON, upcast, never validated again.

    `time` and `recorded_time` are RFC 3339 in UTC with microseconds, so text order is time order.
    """

    position: int
    type: str
    source: str
    id: str
    subject: str
    time: str
    recorded_time: str
    stream: str
    stream_version: int | None
    partition_key: str
    correlation_id: str | None
    causation_id: str | None
    data: Mapping[str, Any]


def utc_text(moment: datetime) -> str:
    """The instant as RFC 3339 in UTC with microseconds. Raises Invalid for a naive time."""
    if moment.tzinfo is None:
        raise Invalid("A time has no offset; write RFC 3339 with an offset, e.g. 2026-03-01T08:00:00+01:00.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
    """The bytes that the log keeps and the leaf hashes: the received event plus the service's attributes."""
    kept = dict(draft.event)
    kept["recordedtime"] = recorded_time
    kept["stream"] = draft.stream
    if stream_version is not None:
        kept["streamversion"] = str(stream_version)
        if draft.stream.startswith("feeds/"):
            kept["sequence"] = f"{stream_version:012d}"
    return orjson.dumps(kept)


def decode(position: int, body: bytes) -> Recorded:
    """The recorded event in these stored bytes."""
    event = orjson.loads(body)
    version = event.get("streamversion")
    return Recorded(
        position=position,
        type=event["type"],
        source=event["source"],
        id=event["id"],
        subject=event.get("subject", ""),
        time=utc_text(datetime.fromisoformat(event["time"])),
        recorded_time=event["recordedtime"],
        stream=event["stream"],
        stream_version=None if version is None else int(version),
        partition_key=event.get("partitionkey") or event["stream"].partition("/")[2],
        correlation_id=event.get("correlationid"),
        causation_id=event.get("causationid"),
        data=event["data"],
    )


def draft_of(event: Mapping[str, Any], stream: str, *, versioned: bool) -> Draft:
    """A draft of this CloudEvent for this stream."""
    return Draft(event=event, stream=stream, versioned=versioned, content_hash=content_hash(event))
