"""Page after page of the log into a set of generations, each page in one transaction with the checkpoints."""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
    empty,
    fold_carefully,
    folded,
    known_part,
    mine,
    no_release,
    types_of,
)
from services.store.projecting.rows import MANY, BatchRows

PAGE = 8192
"""Events in a page: the more, the fewer rows are written for each; memory stays bounded by three of them.

While the server writes a page, the next one is folded and the one after it read. What a page reads of the one before it
is taken from memory, so it need not wait; and pages are committed one after the other.
"""
TURN_S = 0.0005
"""How long the thread that folds keeps the one that writes waiting, which has little to do between two answers."""

COLLECTED = 64
"""After so many pages the collector is asked for: each leaves a hundred cycles or two of the drivers'."""

Hold = Callable[[Connection, Sequence[Target]], None]
"""Holds what must not change while a page is written: the lease and the checkpoints. Raises Fenced, or Moved."""
Done = Callable[[Connection, Sequence[Target], int], None]
"""Moves the targets' checkpoints to a position, in the transaction that wrote the page."""
Aside = Callable[[Connection, Target, Sequence[Refusal]], None]
"""Sets aside what of a page a target could not fold, in the transaction that wrote the rest of it."""
Beat = Callable[[int], None]
"""Called between pages with the position reached: renews the lease, tells the progress."""


class Moved(RuntimeError):
    """A checkpoint is not where it was when we began: somebody else folded, or swapped; nothing was written."""


@dataclass(slots=True)
class _Page:
    """A page folded for each target, not yet written; None for a target that reads none of its events."""

    events: Sequence[Recorded]
    rows: list[BatchRows | None]

    @property
    def position(self) -> int:
        return self.events[-1].position


class Pages:
    """Folds the log into these targets. `size` is the number of events in a page."""

    def __init__(
        self,
        database: Database,
        log: Log,
        targets: Sequence[Target],
        hold: Hold,
        done: Done,
        aside: Aside,
        release_of: Releases = no_release,
        size: int = PAGE,
    ) -> None:
        self.database = database
        self.log = log
        self.targets = targets
        self.hold = hold
        self.done = done
        self.aside = aside
        self.release_of = release_of
        self.size = size
        self._count = 0

    @property
    def position(self) -> int:
        """The position that all targets have reached."""
        return min((target.position for target in self.targets), default=0)

    def run(self, until: int, beat: Beat) -> int:
        """Fold up to a position; returns by how many events.

        Raises UnknownType, LogHole, Fenced, Moved; the pages before are written then.
        """
        start = self.position
        with _undisturbed(), ThreadPoolExecutor(1, "pages") as thread, ThreadPoolExecutor(1, "ahead") as ahead:
            writing: _Writing | None = None
            events = self._read(start, until)
            while events:
                following = self._ahead(ahead, events, until)
                page = self._fold(events, writing.page if writing else None)
                ended = writing is not None
                if writing is not None and not self._finished(writing):
                    page = self._fold(events)
                writing = self._begun(thread, page, events)
                if ended:  # the next one is being written already, and nothing waits for this
                    beat(self.position)
                if writing is None:
                    self._written(events, page is not None and self._write(page))
                    beat(self.position)
                events = following()
            if writing is not None:
                self._finished(writing)
                beat(self.position)
        return self.position - start

    def _begun(self, thread: ThreadPoolExecutor, page: _Page | None, events: Sequence[Recorded]) -> "_Writing | None":
        """A full page that is being written from now on; None for any other."""
        if page is None or len(events) < self.size:
            return None
        return _Writing(page, thread.submit(self._write, page))

    def _finished(self, writing: "_Writing") -> bool:
        """Wait until a page is written; False where that had to be done with care, and rows are not as it had them."""
        well = writing.done.result()
        self._written(writing.page.events, well)
        return well

    def _written(self, events: Sequence[Recorded], well: bool) -> None:
        """These events are written, if all was well; if not, they are now."""
        if not well:
            self._carefully(events)
        for target in self.targets:
            target.position = max(target.position, events[-1].position)
        self._count += 1
        if self._count % COLLECTED == 0:
            gc.collect()

    def _read(self, after: int, until: int) -> list[Recorded]:
        return known_part(self.log.read(after, self.size, until), self.release_of) if after < until else []

    def _ahead(
        self, thread: ThreadPoolExecutor, events: Sequence[Recorded], until: int
    ) -> Callable[[], list[Recorded]]:
        """Gives the page after these events: after a full one it is being read meanwhile."""
        read = partial(self._read, events[-1].position, until)
        return thread.submit(read).result if len(events) == self.size else read

    def _fold(self, events: Sequence[Recorded], before: _Page | None = None) -> _Page | None:
        """The page folded for every target; None where an event of it is poison. `before` is being written."""
        page, earlier = _Page(events, []), before.rows if before else [None] * len(self.targets)
        types = types_of(events)
        with self.database.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")  # holds nothing up while Python folds
            raw = raw_of(connection)
            nothing_of = empty(raw, self.targets) if len(events) > MANY else [set()] * len(self.targets)
            try:
                for target, rows, none in zip(self.targets, earlier, nothing_of, strict=True):
                    wanted = mine(target, events, types)
                    page.rows.append(folded(raw, self.log, target, wanted, rows, none))
            except UNWRITABLE:
                return None
        return page

    def _write(self, page: _Page) -> bool:
        """Write a folded page; False, and nothing is written, where a row of it cannot be."""
        try:
            with self._transaction() as connection:
                for rows in page.rows:
                    if rows is not None:
                        rows.write(raw_of(connection))
                self._move(connection, page.position)
        except UNWRITABLE:
            return False
        return True

    def _carefully(self, events: Sequence[Recorded]) -> None:
        """A page with poison in it: each target finds its own and sets it aside."""
        with self._transaction() as connection:
            for target in self.targets:
                ahead = [event for event in events if event.position > target.position]
                self.aside(connection, target, fold_carefully(connection, self.log, target, ahead))
            self._move(connection, events[-1].position)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction that holds what must not change. Rows follow from the log, so its commit need not be flushed:
        after a crash rows and checkpoint are together as they were a moment before.
        """
        with self.database.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit TO off"))
            self.hold(connection, self.targets)
            yield connection

    def _move(self, connection: Connection, until: int) -> None:
        """Move those that are not further already."""
        self.done(connection, [target for target in self.targets if target.position < until], until)


@dataclass(frozen=True, slots=True)
class _Writing:
    """A page that is being written."""

    page: _Page
    done: "Future[bool]"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """With short turns, and without the collector of cycles: a page is many objects and no cycle, and looking for one
    costs a fifth of it.
    """
    collecting, turn = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        if collecting:
            gc.enable()


def raw_of(connection: Connection) -> Raw[Any]:
    """The driver's connection."""
    raw = connection.connection.driver_connection
    assert raw is not None
    found: Raw[Any] = raw
    return found
