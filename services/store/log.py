"""The log: the one seam through which everything is written, once, in one order for ever.

Numbered guarantees, each with a test: (1) positions are dense and position order is commit order; (2) an append is all
or nothing, companions included; (3) (source, id) is stored once; (4) a stream's version is what its last writer saw;
(5) nothing stored changes. The lock comes first, and every later read is its own statement: a single statement with
lock and max() would read the snapshot from before the wait.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from events.envelope import Recorded, decode, utc_text
from events.errors import Unavailable
from services.store.appending import (
    APPEND_LOCK,
    Append,
    Companion,
    Located,
    Outcome,
    head_of,
    identities,
    insert_rows,
    number,
    sort_out,
    stored_row,
    versions_of,
)
from services.store.database import Database
from services.store.tables import log_events, log_identity, metadata

__all__ = ["Append", "Clock", "Companion", "Located", "Log", "LogHole", "Outcome", "wall_clock"]

Clock = Callable[[], datetime]


class LogHole(RuntimeError):
    """A page of the log is not contiguous: an alarm, never skipped."""


def wall_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Log:
    """The append-only log in PostgreSQL."""

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self.database = database
        self.clock = clock

    def append(self, request: Append) -> tuple[Outcome, ...]:
        """Write a request, all or nothing; one outcome for each draft, in order.

        Raises VersionConflict when a stream moved on, IdentityConflict (atomic requests) when an identity is taken
        by another payload, Unavailable when the database is away. A commit whose answer was lost is looked up.
        """
        try:
            with self.database.begin() as connection:
                return self._append(connection, request)
        except Unavailable:
            outcomes = self._already_written(request)
            if outcomes is None:
                raise
            return outcomes

    def _already_written(self, request: Append) -> tuple[Outcome, ...] | None:
        """The outcomes of a request whose commit may have gone through before the connection broke."""
        if not request.drafts:
            return None
        found = [self.find(draft.source, draft.id) for draft in request.drafts]
        if not all(
            at and at.content_hash == draft.content_hash for at, draft in zip(found, request.drafts, strict=True)
        ):
            return None
        return tuple(Outcome("accepted", at.position) for at in found if at)

    def _append(self, connection: Connection, request: Append) -> tuple[Outcome, ...]:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
        known = identities(connection, request.drafts)
        outcomes, fresh = sort_out(request, known)
        # A request of which every event is stored already is answered as a duplicate, whatever became of its streams.
        if fresh or not request.drafts:
            versions = versions_of(connection, request, fresh)
            head = head_of(connection)
            rows = number(fresh, head, versions, utc_text(self.clock()))
            insert_rows(connection, rows, self.clock())
            places = {(row.draft.source, row.draft.id): row.position for row in rows}
            outcomes = [
                Outcome(o.status, places.get((d.source, d.id)) if o.position is None else o.position, o.stored_hash)
                for o, d in zip(outcomes, request.drafts, strict=True)
            ]
            for companion in request.companions:
                table = metadata.tables[companion.table]
                connection.execute(upsert(table).values(**companion.values).on_conflict_do_nothing())
            if rows:
                connection.execute(text("SELECT pg_notify('lodestone_log', :head)"), {"head": str(rows[-1].position)})
        return tuple(outcomes)

    def append_stored(self, bodies: Sequence[bytes]) -> int:
        """Write events of a whole export after the current head, their bytes, times and versions kept.

        Returns the new head. For imports into a log that was empty when the import began; the caller checks that.
        """
        with self.database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})
            head = head_of(connection)
            rows = [stored_row(head + offset, body) for offset, body in enumerate(bodies, 1)]
            insert_rows(connection, rows, self.clock())
        return head + len(rows)

    def head(self) -> int:
        """The last position; 0 for an empty log."""
        with self.database.connect() as connection:
            return head_of(connection)

    def read_bytes(self, after: int, limit: int, until: int | None = None) -> list[tuple[int, bytes]]:
        """Up to `limit` stored events after a position, in order. Raises LogHole when the page is not contiguous."""
        query = select(log_events.c.position, log_events.c.body).where(log_events.c.position > after)
        if until is not None:
            query = query.where(log_events.c.position <= until)
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by(log_events.c.position).limit(limit)).all()
        for expected, (position, _) in enumerate(rows, after + 1):
            if position != expected:
                raise LogHole(f"The log has no event at position {expected}; the next one is {position}.")
        return [(position, bytes(body)) for position, body in rows]

    def read(self, after: int, limit: int, until: int | None = None) -> list[Recorded]:
        """Like `read_bytes`, decoded."""
        return [decode(position, body) for position, body in self.read_bytes(after, limit, until)]

    def read_stream(self, stream: str, after_version: int = 0) -> list[Recorded]:
        """The events of one stream, in order; for streams with versions, those after `after_version`."""
        query = select(log_events.c.position, log_events.c.body).where(log_events.c.stream == stream)
        if after_version:
            query = query.where(log_events.c.stream_version > after_version)
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by(log_events.c.position)).all()
        return [decode(position, bytes(body)) for position, body in rows]

    def read_positions(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, in order of position."""
        query = select(log_events.c.position, log_events.c.body).where(log_events.c.position.in_(list(positions)))
        with self.database.connect() as connection:
            rows = connection.execute(query.order_by(log_events.c.position)).all()
        return [decode(position, bytes(body)) for position, body in rows]

    def body(self, position: int) -> bytes | None:
        """The stored bytes at a position, or None."""
        with self.database.connect() as connection:
            found = connection.execute(select(log_events.c.body).where(log_events.c.position == position)).scalar()
        return None if found is None else bytes(found)

    def find(self, source: str, id: str) -> Located | None:
        """Where the event with this identity is stored, or None."""
        query = select(log_identity.c.position, log_identity.c.content_hash)
        query = query.where(log_identity.c.source == source, log_identity.c.id == id)
        with self.database.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Located(row.position, bytes(row.content_hash))
