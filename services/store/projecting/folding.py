"""Folding a batch of events into one generation of tables, and setting aside the events that cannot be folded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection

from events import catalogue
from events.envelope import Recorded
from events.errors import DomainError, UnknownType
from projections.folds.fold import Key, Projection
from services.store.projecting.rows import BatchRows

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


def newest(event: Recorded, release_of: Releases = lambda event_type: None) -> Recorded:
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


def known_part(page: Sequence[Recorded], release_of: Releases = lambda event_type: None) -> list[Recorded]:
    """The events up to the first that this release does not know. Raises UnknownType when that is the first one."""
    upcast: list[Recorded] = []
    for event in page:
        if upcast and not catalogue.known(event.type):
            break
        upcast.append(newest(event, release_of))
    return upcast


def fold(connection: Connection, projection: Projection, generation: int, events: Sequence[Recorded]) -> list[Refusal]:
    """Fold events into a generation within the caller's transaction; returns those that could not be folded.

    A row that cannot be written takes its batch back to a savepoint; halves are tried until the event is found.
    """
    mine = [event for event in events if event.type in projection.types]
    if not mine:
        return []
    try:
        with connection.begin_nested():
            return _fold_together(connection, projection, generation, mine)
    except UNWRITABLE as error:
        if len(mine) == 1:
            return [Refusal(mine[0].position, _reason(error))]
    half = len(mine) // 2
    first = fold(connection, projection, generation, mine[:half])
    return first + fold(connection, projection, generation, mine[half:])


def _fold_together(
    connection: Connection, projection: Projection, generation: int, events: Sequence[Recorded]
) -> list[Refusal]:
    raw = connection.connection.driver_connection
    assert raw is not None
    rows = BatchRows(raw, projection, generation)
    rows.load(key for event in events for key in _named(projection.keys, event))
    rows.load(key for event in events for key in _named(projection.more_keys, event, rows))
    refused = []
    for event in events:
        try:
            _fold_event(projection, rows, event)
        except POISON as error:
            rows.forget()
            refused.append(Refusal(event.position, _reason(error)))
        else:
            rows.keep()
    rows.write()
    return refused


def _named(name: Callable[..., Iterable[Key]], *about: Any) -> Sequence[Key]:
    """The keys that can be named now; those that depend on earlier events of the batch are named again later."""
    try:
        return list(name(*about))
    except POISON:
        return ()


def _fold_event(projection: Projection, rows: BatchRows, event: Recorded) -> None:
    """Load what the event touches, until nothing more is named, and fold it."""
    rows.load(projection.keys(event))
    before: set[Key] = set()
    while (more := set(projection.more_keys(event, rows))) - before:
        rows.load(more)
        before |= more
    projection.fold(event, rows)


def _reason(error: Exception) -> str:
    words = error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:2000]
