"""Folding a page of events into generations of tables: at once where all is well, event by event where one is not."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection as Raw
from sqlalchemy import Connection

from events import catalogue
from events.envelope import Recorded
from events.errors import DomainError, UnknownType
from projections.folds.fold import Projection, Ref
from projections.folds.memory import Find
from services.store.log import Log
from services.store.projecting.rows import BatchRows, empty_tables
from services.store.projecting.shapes import table_name

POISON = (DomainError, ValueError, KeyError, TypeError, ArithmeticError, AssertionError, AttributeError, IndexError)
"""What a fold may fail with."""
UNWRITABLE = (*POISON, psycopg.DataError, psycopg.IntegrityError)
"""What writing a row may fail with because of the row: a null where none may be, a number or text that does not fit.

Any other database error is of the database, retried, and never poison.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that could not be folded, and why."""

    position: int
    reason: str


Releases = Callable[[str], str | None]
"""From an event type to the first release that knew it, where one recorded it."""


def no_release(event_type: str) -> str | None:
    """Where none recorded it."""
    return None


def newest(event: Recorded, release_of: Releases = no_release) -> Recorded:
    """The event upcast. Raises UnknownType saying which release to run."""
    try:
        return catalogue.upcast(event)
    except UnknownType as error:
        release = release_of(event.type)
        writer = (
            f"Lodestone {release}. Run that release or a later one"
            if release
            else "a newer one. Run that release, or a later one"
        )
        raise UnknownType(
            f"Position {event.position} holds '{event.type}', which this release does not know: it was written by "
            f"{writer}; nothing is skipped.",
            type=event.type,
            position=event.position,
        ) from error


def known_part(page: Sequence[Recorded], release_of: Releases = no_release) -> list[Recorded]:
    """The events up to the first that this release does not know. Raises UnknownType when that is the first one."""
    if catalogue.current(types_of(page)):
        return list(page)
    upcast: list[Recorded] = []
    for event in page:
        if upcast and not catalogue.known(event.type):
            break
        upcast.append(newest(event, release_of))
    return upcast


class Earlier:
    """Finds the events that a fold refers to: those of the log up to a position."""

    def __init__(self, log: Log, until: int) -> None:
        self.log = log
        self.until = until

    def __call__(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of these events that stand at or before the position, upcast."""
        found = [event for event in self.log.read_named(dict.fromkeys(refs)) if event.position <= self.until]
        return {(event.source, event.id): newest(event) for event in found if catalogue.known(event.type)}


@dataclass(slots=True)
class Target:
    """A generation of a projection's tables, how far it is folded, and which of its events were refused.

    Where order counts, a stream of which an event was set aside is `blocked`: what comes after it waits with it.
    """

    projection: Projection
    generation: int
    position: int
    refused: list[Refusal] = field(default_factory=list)
    blocked: dict[str, int] = field(default_factory=dict)
    earlier: Callable[[Log, int], Find] = Earlier
    """Makes from the log, and how far it counts as told before, what finds the events that a fold refers to."""

    @property
    def place(self) -> tuple[str, int]:
        """Which generation of which projection it is."""
        return self.projection.name, self.generation

    def block(self, event: Recorded) -> None:
        """This event was set aside."""
        if not self.projection.order_free:
            self.blocked.setdefault(event.stream, event.position)

    def waits(self, event: Recorded) -> Refusal | None:
        """Why this event has to wait; None for one that may be folded."""
        at = self.blocked.get(event.stream)
        if at is None or at >= event.position:
            return None
        return Refusal(event.position, f"waits for position {at} of its stream {event.stream}, which was set aside")


def types_of(events: Iterable[Recorded]) -> set[str]:
    """The types that occur among these events."""
    return {event.type for event in events}


def mine(target: Target, events: Sequence[Recorded], types: Set[str] | None = None) -> Sequence[Recorded]:
    """The events that this generation has not folded and that its projection reads.

    `types` are those of the events, where they are known: then a page that is read whole, or not at all, is not looked
    through.
    """
    read, position = target.projection.types, target.position
    if types is not None and not types & read:
        return ()
    ahead = events if events and events[0].position > position else [one for one in events if one.position > position]
    return ahead if types is not None and types <= read else [event for event in ahead if event.type in read]


def empty(raw: Raw[Any], targets: Iterable[Target]) -> list[set[type[Any]]]:
    """Of each of these generations the row types of which no row is stored."""
    named = [
        [
            (table_name(target.projection, row_type, target.generation), row_type)
            for row_type in target.projection.row_types
        ]
        for target in targets
    ]
    nothing_in = empty_tables(raw, [name for tables in named for name, _ in tables])
    return [{row_type for name, row_type in tables if name in nothing_in} for tables in named]


def folded(
    raw: Raw[Any],
    log: Log,
    target: Target,
    wanted: Sequence[Recorded],
    before: BatchRows | None = None,
    nothing_of: Collection[type[Any]] = (),
) -> BatchRows | None:
    """The rows after these events, which are its own, not yet written; None where there are none.

    `before` are those of the page before, where they are being written; `nothing_of` are row types without any stored.
    Raises one of POISON.
    """
    if not wanted:
        return None
    if target.blocked and any(target.waits(event) for event in wanted):
        raise ValueError("some of these events wait for one that was set aside")
    earlier = target.earlier(log, wanted[0].position - 1)
    rows = BatchRows(raw, target.projection, target.generation, earlier, before, nothing_of)
    target.projection.fold_events(wanted, rows)
    rows.settled()
    return rows


def fold_carefully(
    connection: Connection, log: Log, target: Target, events: Sequence[Recorded], until: int | None = None
) -> list[Refusal]:
    """Fold events and write their rows within the caller's transaction; returns those that could not be folded.

    What fails goes back to a savepoint; halves are tried until the event is found. `until` is how far the log counts
    as told before (for an event that is tried again); none: up to the first of the events.
    """
    wanted, waiting = list[Recorded](), list[Refusal]()
    for event in events:
        if event.type in target.projection.types:
            if (refusal := target.waits(event)) is not None:
                waiting.append(refusal)
            else:
                wanted.append(event)
    if not wanted:
        return waiting
    raw = connection.connection.driver_connection
    assert raw is not None
    before = wanted[0].position - 1 if until is None else until
    try:
        with connection.begin_nested():
            rows = BatchRows(raw, target.projection, target.generation, target.earlier(log, before))
            target.projection.fold_events(wanted, rows)
            rows.write(raw)
            return waiting
    except UNWRITABLE as error:
        if len(wanted) == 1:
            target.block(wanted[0])
            return [*waiting, Refusal(wanted[0].position, _reason(error))]
    half = len(wanted) // 2
    first = fold_carefully(connection, log, target, wanted[:half])
    return waiting + first + fold_carefully(connection, log, target, wanted[half:])


def _reason(error: Exception) -> str:
    words = error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:2000]
