"""Rows into the log by binary COPY: encoded while the server takes the ones before."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import Any

import psycopg

from events.envelope import Draft, stored_bytes

EVENTS = (
    "COPY log_events (position, stream, stream_version, type, recorded_at, content_hash, leaf_hash, body) "
    "FROM STDIN (FORMAT binary)"
)
IDENTITIES = "COPY log_identity (key, position) FROM STDIN (FORMAT binary)"
STREAMS = "COPY log_streams (stream, version, position) FROM STDIN (FORMAT binary)"
Encoded = tuple[Draft, int | None, bytes]
"""A draft, its version in its stream, and its stored bytes."""

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_identity = Struct(">hi16siq").pack
_position_and_stream = Struct(">hiqi").pack
_number = Struct(">iq").pack
_length = Struct(">i").pack
_hashes = Struct(">i32si32si").pack
SMALL = 32_000
"""Bytes that wait for more before they are sent."""
PART = 64
"""Rows in one message: about 50 kB, which the server takes in while the next ones are made."""


def copy(cursor: psycopg.Cursor[Any], statement: str, parts: Iterable[bytes]) -> None:
    """Send the parts of a binary COPY, header and trailer around them; a small one is a single message."""
    held = _HEADER
    with cursor.copy(statement) as stream:
        for part in parts:
            if len(held) > SMALL:
                stream.write(held)
                held = b""
            held += part
        stream.write(held + _TRAILER)


def identity_rows(keys: Sequence[bytes], first: int) -> Iterator[bytes]:
    """The identities of events that stand one after another from `first` on, in the order of their index."""
    rows = sorted([(key, position) for position, key in enumerate(keys, first)])
    yield b"".join([_identity(2, 16, key, 8, position) for key, position in rows])


def stream_rows(drafts: Sequence[Draft], numbers: Sequence[int | None], first: int) -> Iterator[bytes]:
    """The stream versions of those events that have one."""
    rows = []
    for position, (draft, number) in enumerate(zip(drafts, numbers, strict=True), first):
        if number is not None:
            stream = draft.stream.encode()
            rows.append(
                b"".join((_length(3)[2:], _length(len(stream)), stream, _number(8, number), _number(8, position)))
            )
    yield b"".join(rows)


def encoded(drafts: Sequence[Draft], numbers: Sequence[int | None], recorded: str) -> Iterator[Encoded]:
    """The drafts with their stored bytes. Raises Invalid for what JSON cannot hold."""
    for draft, number in zip(drafts, numbers, strict=True):
        yield draft, number, stored_bytes(draft, recorded, number)


def event_rows(events: Iterable[Encoded], first: int, now: datetime) -> Iterator[bytes]:
    """The rows of `log_events`, in parts, made as they are asked for."""
    when = _number(8, (now - _EPOCH) // _MICROSECOND)
    types: dict[str, bytes] = {}
    parts: list[bytes] = []
    for position, (draft, number, body) in enumerate(events, first):
        stream, type = draft.stream.encode(), draft.type
        typed = types.get(type)
        if typed is None:
            name = type.encode()
            typed = types[type] = _length(len(name)) + name + when
        content, leaf = sha256(draft.canonical).digest(), sha256(b"\0" + body).digest()
        parts += (
            _position_and_stream(8, 8, position, len(stream)),
            stream,
            _NULL if number is None else _number(8, number),
            typed,
            _hashes(32, content, 32, leaf, len(body)),
            body,
        )
        if len(parts) >= 6 * PART:
            yield b"".join(parts)
            parts.clear()
    yield b"".join(parts)
