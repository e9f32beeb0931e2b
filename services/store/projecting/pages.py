"""Page after page of the log into a set of generations, each page in one transaction with the checkpoints."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection as Raw
from sqlalchemy import Connection, text

from events.envelope import Recorded
from services.store.database import Database
from services.store.log import Log
from services.store.projecting.folding import (
    UNWRITABLE,
    Refusal,
    Releases,
    Target,
    fold_carefully,
    folded,
    known_part,
    no_release,
)
from services.store.projecting.rows import BatchRows

PAGE = 4096
"""Events in a page: the more, the fewer rows are written for each; memory stays bounded by it.

One page after the other, in one thread: folding is Python's work, and what threads would overlap they lose in turns.
"""

Hold = Callable[[Connection, Sequence[Target]], None]
"""Holds what must not change while a page is written: the lease and the checkpoints. Raises Fenced, or Moved."""
Done = Callable[[Connection, Target, int, Sequence[Refusal]], None]
"""Moves a target's checkpoint to a position and parks what was refused, in the transaction that wrote the page."""
Beat = Callable[[int], None]
"""Called between pages with the position reached: renews the lease, tells the progress."""


class Moved(RuntimeError):
    """A checkpoint is not where it was when we began: somebody else folded, or swapped; nothing was written."""


@dataclass(slots=True)
class _Page:
    """A page folded for each target, not yet written; None for a target that reads none of its events."""

    events: Sequence[Recorded]
    rows: list[BatchRows | None]


class Pages:
    """Folds the log into these targets. `size` is the number of events in a page."""

    def __init__(
        self,
        database: Database,
        log: Log,
        targets: Sequence[Target],
        hold: Hold,
        done: Done,
        release_of: Releases = no_release,
        size: int = PAGE,
    ) -> None:
        self.database = database
        self.log = log
        self.targets = targets
        self.hold = hold
        self.done = done
        self.release_of = release_of
        self.size = size

    @property
    def position(self) -> int:
        """The position that all targets have reached."""
        return min((target.position for target in self.targets), default=0)

    def run(self, until: int, beat: Beat) -> int:
        """Fold up to a position; returns by how many events.

        Raises UnknownType, LogHole, Fenced, Moved; the pages before are written then.
        """
        start = self.position
        while self._page(until):
            beat(self.position)
        return self.position - start

    def _page(self, until: int) -> bool:
        """Fold the next page and write it; False where there is none."""
        with _uncollected():
            events = self._read(until)
            if not events:
                return False
            page = self._fold(events)
            if page is None or not self._write(page):
                self._carefully(events)
        for target in self.targets:
            target.position = max(target.position, events[-1].position)
        return True

    def _read(self, until: int) -> list[Recorded]:
        after = self.position
        return known_part(self.log.read(after, self.size, until), self.release_of) if after < until else []

    def _fold(self, events: Sequence[Recorded]) -> _Page | None:
        """The page folded for every target; None where an event of it is poison."""
        page = _Page(events, [])
        with self.database.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")  # holds nothing up while Python folds
            try:
                for target in self.targets:
                    page.rows.append(folded(raw_of(connection), self.log, target, events))
            except UNWRITABLE:
                return None
        return page

    def _write(self, page: _Page) -> bool:
        """Write a folded page; False, and nothing is written, where a row of it cannot be."""
        try:
            with self._transaction() as connection:
                for target, rows in zip(self.targets, page.rows, strict=True):
                    if rows is not None:
                        rows.write(raw_of(connection))
                    self._finish(connection, target, page.events[-1].position, ())
        except UNWRITABLE:
            return False
        return True

    def _carefully(self, events: Sequence[Recorded]) -> None:
        """A page with poison in it: each target finds its own and sets it aside."""
        with self._transaction() as connection:
            for target in self.targets:
                ahead = [event for event in events if event.position > target.position]
                refused = fold_carefully(connection, self.log, target, ahead)
                self._finish(connection, target, events[-1].position, refused)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction that holds what must not change. Rows follow from the log, so its commit need not be flushed:
        after a crash rows and checkpoint are together as they were a moment before.
        """
        with self.database.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit TO off"))
            self.hold(connection, self.targets)
            yield connection

    def _finish(self, connection: Connection, target: Target, until: int, refused: Sequence[Refusal]) -> None:
        if until > target.position:
            self.done(connection, target, until, refused)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: a page is many objects and no cycle; looking costs a fifth of it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def raw_of(connection: Connection) -> Raw[Any]:
    """The driver's connection."""
    raw = connection.connection.driver_connection
    assert raw is not None
    found: Raw[Any] = raw
    return found
