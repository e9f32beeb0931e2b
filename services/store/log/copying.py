"""Rows of the log in the format of binary COPY, in pieces, each made when it is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from struct import Struct

from events.envelope import Draft, stored_bytes, utc_text
from services.store.log.sending import Copy

EVENTS = (
    "COPY log_events (position, stream, stream_version, type, recorded_at, content_hash, leaf_hash, body) "
    "FROM STDIN (FORMAT binary)"
)
IDENTITIES = "COPY log_identity (key, position) FROM STDIN (FORMAT binary)"
STREAMS = "COPY log_streams (stream, version, position) FROM STDIN (FORMAT binary)"
Encoded = tuple[Draft, int | None, bytes]
"""A draft, its version in its stream, and its stored bytes."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_identity = Struct(">hi16siq").pack
_position_and_stream = Struct(">hiqi").pack
_number = Struct(">iq").pack
_length = Struct(">i").pack
_fields_and_length = Struct(">hi").pack
_hashes = Struct(">i32si32si").pack
PIECE = 200
"""Rows in one COPY: the server writes them while the next ones are made. It holds on to each row's page until then, and
looks through all that it holds for each: with a thousand in one COPY a row costs it a fifth more."""
SMALL = 50
"""Rows below which a COPY of their own costs more than it hides."""


def piece_of(rows: int) -> int:
    """Rows in each COPY of this many: at least two pieces, so that the server is busy while the rest is made."""
    return min(PIECE, max(SMALL, -(-rows // 2)))


def copies(
    keys: Sequence[bytes],
    drafts: Sequence[Draft],
    numbers: Sequence[int | None],
    first: int,
    now: datetime,
    bodies: Sequence[bytes] | None = None,
) -> list[Copy]:
    """All rows of events that stand one after another from `first` on; without stored bytes they are made here.

    Identities come first: what is stored already fails before any body was sent. They are made in no time, so a second
    COPY of less than `PIECE` of them hides nothing, and costs an append of a hundred a twentieth. Making the rows
    raises Invalid for what JSON cannot hold.
    """

    named = sorted(zip(keys, range(first, first + len(keys)), strict=True))
    size = piece_of(len(drafts))

    def piece(start: int) -> bytes:
        part = slice(start, start + size)
        if bodies is None:
            return event_rows(encoded(drafts[part], numbers[part], now), first + start, now)
        return event_rows(zip(drafts[part], numbers[part], bodies[part], strict=True), first + start, now)

    made: list[Copy] = [
        (IDENTITIES, partial(identity_rows, named[start : start + PIECE])) for start in range(0, len(keys), PIECE)
    ]
    made += [(EVENTS, partial(piece, start)) for start in range(0, len(drafts), size)]
    if any(number is not None for number in numbers):
        made.append((STREAMS, lambda: stream_rows(drafts, numbers, first)))
    return made


def identity_rows(named: Sequence[tuple[bytes, int]]) -> bytes:
    """The rows of `log_identity` for these keys and positions; in the order of their index they cost least."""
    return b"".join([_identity(2, 16, key, 8, position) for key, position in named])


def stream_rows(drafts: Sequence[Draft], numbers: Sequence[int | None], first: int) -> bytes:
    """The stream versions of those events that have one."""
    rows: list[bytes] = []
    for position, (draft, number) in enumerate(zip(drafts, numbers, strict=True), first):
        if number is not None:
            stream = draft.stream.encode()
            rows += (_fields_and_length(3, len(stream)), stream, _number(8, number), _number(8, position))
    return b"".join(rows)


def encoded(drafts: Sequence[Draft], numbers: Sequence[int | None], now: datetime) -> Iterator[Encoded]:
    """The drafts with their stored bytes. Raises Invalid for what JSON cannot hold."""
    recorded = utc_text(now)
    for draft, number in zip(drafts, numbers, strict=True):
        yield draft, number, stored_bytes(draft, recorded, number)


def event_rows(events: Iterable[Encoded], first: int, now: datetime) -> bytes:
    """The rows of `log_events` for events that stand one after another from `first` on."""
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
    return b"".join(parts)
