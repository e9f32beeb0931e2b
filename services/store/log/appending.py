"""What is appended and what came of it; and the plan of a group: duplicates, versions and positions, without I/O."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from events.envelope import Draft
from events.errors import IdentityConflict, VersionConflict

LEAF_PREFIX = b"\x00"
"""RFC 9162: a leaf is hashed as 0x00 followed by the stored bytes."""


@dataclass(frozen=True, slots=True)
class Companion:
    """One row of a companion table, written in the same transaction; a row that exists stays."""

    table: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Advance:
    """A place in somebody else's log (a partition of Kafka) that moves with the append, if it is still where it was.

    `was` is the next offset that the caller started from (None: it had none), `to` the one after what it brings. `to`
    is lower where the other log was made anew.
    """

    name: str
    was: int | None
    to: int


@dataclass(frozen=True, slots=True)
class Append:
    """What is to be written together.

    `expected` maps a stream to the version that the caller saw (0: it must not exist). `atomic`: an identity
    conflict refuses the whole; else (a bench's batch) only that event. `advances` make it count once: who comes a
    second time, or beside another, finds them moved.
    """

    drafts: tuple[Draft, ...]
    expected: Mapping[str, int] = field(default_factory=dict)
    companions: tuple[Companion, ...] = ()
    atomic: bool = True
    advances: tuple[Advance, ...] = ()


class Outcome(Struct, frozen=True, gc=False):
    """What became of one draft: its position (a duplicate's first one), or the hash that it conflicts with.

    `recorded_time` is that of accepted ones.
    """

    status: Literal["accepted", "duplicate", "conflict"]
    position: int | None
    stored_hash: bytes | None = None
    recorded_time: str | None = None


class Conflicts(IdentityConflict):
    """An atomic request holds identities that are taken by other payloads; `outcomes` says so for each of its drafts.

    Nothing of it was written. A conflict stays one for ever, so the rest may be sent again without those.
    """

    def __init__(self, drafts: Sequence[Draft], outcomes: tuple[Outcome, ...]) -> None:
        at = next(at for at, outcome in enumerate(outcomes) if outcome.status == "conflict")
        draft, held = drafts[at], outcomes[at].stored_hash or b""
        super().__init__(
            f"The event {draft.id} of {draft.source} is stored already, with another payload.",
            stored_hash=held.hex(),
            received_hash=draft.content_hash.hex(),
            source=draft.source,
            id=draft.id,
        )
        self.outcomes = outcomes


class CursorMoved(VersionConflict):
    """Somebody else brought what lies between (another member of the group); facts: cursor, expected, actual."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where an event is stored, and its content hash."""

    position: int
    content_hash: bytes


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf of the log over its stored bytes (RFC 9162, 2.1.1)."""
    return hashlib.sha256(LEAF_PREFIX + body).digest()


def key_of(draft: Draft) -> bytes:
    """The identity of a draft, as `tables.identity_key` has it (16 bytes)."""
    event = draft.event
    return hashlib.sha256(f"{event['source']}\0{event['id']}".encode()).digest()[:16]


@dataclass(slots=True)
class Plan:
    """The rows of a group, one request after another; a later request sees the earlier ones.

    `known` are the identities stored before the group, `versions` the current version of every stream that a request
    numbers or expects, `cursors` where every cursor is that a request moves; `moved` are those that were. Row k stands
    at position head + 1 + k.
    """

    head: int
    recorded: str
    known: Mapping[bytes, Located]
    versions: dict[str, int]
    cursors: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    keys: list[bytes] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    places: dict[bytes, int] = field(default_factory=dict)

    def take(self, request: Append) -> tuple[Outcome, ...]:
        """Add one request: duplicates and conflicts are taken out before anything is numbered.

        Raises Conflicts (atomic requests), VersionConflict or CursorMoved; then nothing of it was added.
        """
        self._check_cursors(request.advances)
        start = len(self.drafts)
        keys = [key_of(draft) for draft in request.drafts]
        try:
            if self._new(keys):
                outcomes = self._place_all(keys, request.drafts)
            else:
                outcomes = tuple([self._place(*pair) for pair in zip(keys, request.drafts, strict=True)])
            if request.atomic and any(outcome.status == "conflict" for outcome in outcomes):
                raise Conflicts(request.drafts, outcomes)
            if len(self.drafts) > start or not request.drafts:
                self._check(request.expected)
        except (IdentityConflict, VersionConflict):
            self._forget(start)
            raise
        self._number(start)
        for advance in request.advances:
            self.cursors[advance.name] = advance.to
            self.moved.add(advance.name)
        return outcomes

    def _check_cursors(self, advances: Iterable[Advance]) -> None:
        for advance in advances:
            actual = self.cursors.get(advance.name)
            if actual != advance.was:
                raise CursorMoved(
                    f"{advance.name} is at {actual}, not {advance.was}: somebody else brought what lies between. "
                    "Nothing of this was stored; go on from there.",
                    cursor=advance.name,
                    expected=advance.was,
                    actual=actual,
                )

    def _new(self, keys: Sequence[bytes]) -> bool:
        """Whether none of these identities was seen, as is nearly always so."""
        once = len(set(keys)) == len(keys)
        return once and self.places.keys().isdisjoint(keys) and self.known.keys().isdisjoint(keys)

    def _place_all(self, keys: Sequence[bytes], drafts: Sequence[Draft]) -> tuple[Outcome, ...]:
        first = self.head + 1 + len(self.drafts)
        positions = range(first, first + len(keys))
        self.keys += keys
        self.drafts += drafts
        self.places.update(zip(keys, positions, strict=True))
        return tuple([Outcome("accepted", position, None, self.recorded) for position in positions])

    def _place(self, key: bytes, draft: Draft) -> Outcome:
        twin, stored = self.places.get(key), self.known.get(key)
        if twin is None and stored is None:
            self.keys.append(key)
            self.drafts.append(draft)
            position = self.places[key] = self.head + len(self.drafts)
            return Outcome("accepted", position, None, self.recorded)
        if stored is not None:
            position, held = stored.position, stored.content_hash
        else:
            assert twin is not None
            position, held = twin, self.drafts[twin - self.head - 1].content_hash
        if held == draft.content_hash:
            return Outcome("duplicate", position)
        return Outcome("conflict", position, held)

    def _check(self, expected: Mapping[str, int]) -> None:
        for stream, version in expected.items():
            if self.versions[stream] != version:
                raise VersionConflict(
                    f"{stream} is at version {self.versions[stream]}, not {version}: somebody else wrote in between. "
                    "Read it again and decide anew.",
                    stream=stream,
                    expected=version,
                    actual=self.versions[stream],
                )

    def _number(self, start: int) -> None:
        for draft in self.drafts[start:]:
            number = None
            if draft.versioned:
                number = self.versions[draft.stream] = self.versions[draft.stream] + 1
            self.numbers.append(number)

    def _forget(self, start: int) -> None:
        for key in self.keys[start:]:
            del self.places[key]
        del self.keys[start:], self.drafts[start:]


def streams_of(requests: Iterable[Append]) -> list[str]:
    """The streams whose current versions these requests need."""
    streams: set[str] = set()
    for request in requests:
        streams.update(request.expected)
        streams.update(draft.stream for draft in request.drafts if draft.versioned)
    return sorted(streams)
