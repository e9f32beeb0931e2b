"""The projector: folds the log into tables, batch by batch, each batch with its checkpoint in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, MetaData, Table, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from events import catalogue
from events.envelope import Recorded
from events.errors import DomainError, UnknownType
from projections.folds.fold import Projection
from projections.folds.memory import digest_rows
from services.store import leases
from services.store.database import Database
from services.store.leases import Lease
from services.store.log import Clock, Log, wall_clock
from services.store.rows import BatchRows, drop_tables, make_tables, point_views, reading_table
from services.store.tables import parked_events, projection_checkpoints

LEASE = "projector"
BATCH = 1000
POISON = (DomainError, ValueError, KeyError, TypeError, ArithmeticError, AssertionError, AttributeError, IndexError)
"""What a fold may fail with; a database error is never poison."""

Progress = Callable[[int, int], None]
"""Called with (position reached, position wanted)."""

_words = structlog.get_logger("projector")


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that a fold could not take: counted, shown, and tried again on request."""

    projection: str
    position: int
    error: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    generation: int
    position: int


class Projector:
    """Keeps the projections' tables up with the log. Several processes may run one; a lease decides who folds."""

    def __init__(
        self, database: Database, log: Log, projections: Sequence[Projection], owner: str, clock: Clock = wall_clock
    ) -> None:
        self.database = database
        self.log = log
        self.projections = {projection.name: projection for projection in projections}
        self.owner = owner
        self.clock = clock
        self.lease: Lease | None = None
        metadata = MetaData()
        self._tables = {
            row_type: reading_table(projection, row_type, metadata)
            for projection in projections
            for row_type in projection.row_types
        }

    def prepare(self) -> None:
        """Make the tables of projections that have none, or whose version changed (those are folded anew)."""
        with self.database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(7031990003)"))
            found = {
                row.name: row
                for row in connection.execute(select(projection_checkpoints).where(projection_checkpoints.c.live))
            }
            for projection in self.projections.values():
                row = found.get(projection.name)
                if row is None or row.version != projection.version:
                    self._begin_generation(connection, projection, live=True)

    def _begin_generation(self, connection: Connection, projection: Projection, *, live: bool) -> int:
        table = projection_checkpoints
        newest = select(func.coalesce(func.max(table.c.generation), 0)).where(table.c.name == projection.name)
        generation = int(connection.execute(newest).scalar_one()) + 1
        make_tables(connection, projection, generation)
        values = {"name": projection.name, "generation": generation, "version": projection.version, "position": 0}
        connection.execute(insert(table).values(**values, live=False))
        if live:
            self._swap(connection, projection, generation)
        return generation

    def _swap(self, connection: Connection, projection: Projection, generation: int) -> None:
        """Let readers see this generation, and drop the others."""
        table = projection_checkpoints
        point_views(connection, projection, generation)
        old = connection.execute(
            select(table.c.generation, table.c.version).where(
                table.c.name == projection.name, table.c.generation != generation, table.c.live
            )
        ).all()
        for row in old:
            drop_tables(connection, projection, row.generation, row.version)
        connection.execute(delete(table).where(table.c.name == projection.name, table.c.live))
        this = (table.c.name == projection.name) & (table.c.generation == generation)
        connection.execute(update(table).where(this).values(live=True))

    def table(self, row_type: type[Any]) -> Table:
        """The live rows of a row type, for readers' SQL."""
        return self._tables[row_type]

    def positions(self) -> dict[str, int]:
        """How far each projection is."""
        table = projection_checkpoints
        with self.database.connect() as connection:
            rows = connection.execute(select(table.c.name, table.c.position).where(table.c.live)).all()
        return {row.name: row.position for row in rows if row.name in self.projections}

    def position(self) -> int:
        """The position that all projections have reached."""
        return min(self.positions().values(), default=0)

    def catch_up(self, until: int | None = None, progress: Progress | None = None) -> int:
        """Fold up to `until` (the head by default); returns how many events moved on. 0 while another process folds.

        Raises UnknownType when the log holds an event of a newer release, LogHole when it is not contiguous.
        """
        self.lease = leases.take(self.database, LEASE, self.owner)
        if self.lease is None:
            return 0
        target = self.log.head() if until is None else until
        done = 0
        while True:
            moved = self._batch(target)
            done += moved
            if progress and moved:
                progress(self.position(), target)
            if not moved:
                return done
            self.lease = leases.take(self.database, LEASE, self.owner)
            if self.lease is None:
                return done

    def _batch(self, target: int) -> int:
        """Fold one page into every projection that is behind it, all in one transaction."""
        start = self.position()
        if start >= target:
            return 0
        page = self.log.read(start, BATCH, target)
        if not page:
            return 0
        events = [_newest(event) for event in page]
        assert self.lease is not None
        with self.database.begin() as connection:
            leases.check(connection, self.lease)
            for projection in self.projections.values():
                at = self._lock_checkpoint(connection, projection)
                ahead = [event for event in events if event.position > at.position]
                if ahead and at.position + 1 == ahead[0].position:
                    self._fold(connection, projection, at.generation, ahead)
        return len(page)

    def _lock_checkpoint(self, connection: Connection, projection: Projection) -> _Checkpoint:
        table = projection_checkpoints
        query = select(table.c.generation, table.c.position).where(table.c.name == projection.name, table.c.live)
        row = connection.execute(query.with_for_update()).one()
        return _Checkpoint(row.generation, row.position)

    def _fold(
        self, connection: Connection, projection: Projection, generation: int, events: Sequence[Recorded]
    ) -> None:
        """Fold contiguous events into one generation, write its rows, move its checkpoint."""
        raw = connection.connection.driver_connection
        assert raw is not None
        rows = BatchRows(raw, projection, generation)
        mine = [event for event in events if event.type in projection.types]
        rows.load(key for event in mine for key in projection.keys(event))
        rows.load(key for event in mine for key in _more(projection, event, rows))
        for event in mine:
            self._fold_one(connection, projection, rows, event)
        rows.write()
        table = projection_checkpoints
        this = (table.c.name == projection.name) & (table.c.generation == generation)
        connection.execute(update(table).where(this).values(position=events[-1].position))

    def _fold_one(self, connection: Connection, projection: Projection, rows: BatchRows, event: Recorded) -> None:
        try:
            _fold_event(projection, rows, event)
        except POISON as error:
            rows.forget()
            reason = f"{type(error).__name__}: {error}"
            _words.error("event parked", projection=projection.name, position=event.position, error=reason)
            values = {"projection": projection.name, "position": event.position, "error": reason}
            statement = upsert(parked_events).values(**values, parked_at=self.clock())
            connection.execute(statement.on_conflict_do_nothing())
        else:
            rows.keep()

    def parked(self) -> list[Parked]:
        """The events set aside, oldest first."""
        with self.database.connect() as connection:
            rows = connection.execute(select(parked_events).order_by(parked_events.c.position)).all()
        return [Parked(row.projection, row.position, row.error, row.parked_at) for row in rows]

    def retry_parked(self) -> int:
        """Fold the parked events again; returns how many went in."""
        done = 0
        for item in self.parked():
            projection = self.projections.get(item.projection)
            events = self.log.read(item.position - 1, 1)
            if projection is None or not events:
                continue
            with self.database.begin() as connection:
                at = self._lock_checkpoint(connection, projection)
                raw = connection.connection.driver_connection
                assert raw is not None
                rows = BatchRows(raw, projection, at.generation)
                event = _newest(events[0])
                try:
                    _fold_event(projection, rows, event)
                except POISON:
                    continue
                rows.write()
                this = (parked_events.c.projection == item.projection) & (parked_events.c.position == item.position)
                connection.execute(delete(parked_events).where(this))
                done += 1
        return done

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Fold a projection from the start into fresh tables beside the live ones, then swap; returns the position."""
        projection = self.projections[name]
        with self.database.begin() as connection:
            connection.execute(delete(parked_events).where(parked_events.c.projection == name))
            generation = self._begin_generation(connection, projection, live=False)
        position = 0
        while True:
            with self.database.begin() as connection:
                page = self.log.read(position, BATCH)
                if page:
                    self._fold(connection, projection, generation, [_newest(event) for event in page])
                    position = page[-1].position
                live = self._lock_checkpoint(connection, projection)
                if position >= live.position:
                    # The live checkpoint stays locked until the swap commits: nobody folds in between.
                    self._swap(connection, projection, generation)
                    if progress:
                        progress(position, position)
                    return position
            if progress:
                progress(position, live.position)

    def digest(self, name: str) -> str:
        """SHA-256 (hex) over the state of a projection; a parked event makes it `incomplete:` instead."""
        projection = self.projections[name]
        with self.database.connect() as connection:
            tables = {
                row_type: [dict(row) for row in connection.execute(select(self.table(row_type))).mappings()]
                for row_type in projection.row_types
            }
        digest = digest_rows(tables)
        return f"incomplete:{digest}" if any(item.projection == name for item in self.parked()) else digest


def _newest(event: Recorded) -> Recorded:
    """The event upcast. Raises UnknownType saying what to do."""
    try:
        return catalogue.upcast(event)
    except UnknownType as error:
        raise UnknownType(
            f"Position {event.position} holds '{event.type}', which this release does not know: it was written by a "
            "newer one. Run that release, or a later one; nothing is skipped.",
            type=event.type,
            position=event.position,
        ) from error


def _more(projection: Projection, event: Recorded, rows: BatchRows) -> Sequence[Any]:
    """Further keys; what cannot be named before earlier events of the batch are folded is named again then."""
    try:
        return list(projection.more_keys(event, rows))
    except POISON:
        return ()


def _fold_event(projection: Projection, rows: BatchRows, event: Recorded) -> None:
    """Load what the event touches, until nothing more is named, and fold it."""
    rows.load(projection.keys(event))
    before: set[Any] = set()
    while (more := set(projection.more_keys(event, rows))) - before:
        rows.load(more)
        before |= more
    projection.fold(event, rows)
