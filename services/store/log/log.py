"""The log: the one seam through which everything is written, once, in one order for ever.

Numbered guarantees, each with a test: (1) positions are dense and position order is commit order; (2) an append is all
or nothing, companions included; (3) (source, id) is stored once; (4) a stream's version is what its last writer saw;
(5) nothing stored changes. The lock comes first, and every later read is its own statement: a single statement with
lock and max() would read the snapshot from before the wait.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from events.envelope import Recorded, decode, utc_text
from events.errors import Unavailable
from services.store.database import Database
from services.store.log.appending import (
    Append,
    Companion,
    Located,
    Outcome,
    head_of,
    identities,
    insert_rows,
    lock_log,
    number,
    sort_out,
    stored_row,
    versions_of,
)
from services.store.tables import log_events, log_identity, metadata

__all__ = ["Append", "Clock", "Companion", "Located", "Log", "LogHole", "Outcome", "wall_clock"]

Clock = Callable[[], datetime]
LOOK_UP_S = 10.0
"""How long to ask for a commit whose answer was lost."""


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
        outcomes: tuple[Outcome, ...] | None = None
        try:
            with self.database.begin() as connection:
                outcomes = self._append(connection, request)
            return outcomes
        except Unavailable:
            if outcomes is None:
                raise  # the connection broke before the commit was sent: nothing was written
            return self._looked_up(request, outcomes)

    def _looked_up(self, request: Append, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """What became of a request whose commit was sent but not answered.

        Asks under the lock, so that the commit in question has ended. Raises Unavailable when nothing was written,
        or when the database stays away longer than anyone waits.
        """
        deadline = time.monotonic() + LOOK_UP_S
        while True:
            try:
                with self.database.begin() as connection:
                    lock_log(connection)
                    found = identities(connection, request.drafts)
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        told = []
        for draft, outcome in zip(request.drafts, outcomes, strict=True):
            at = found.get((draft.source, draft.id))
            if outcome.status == "accepted" and (at is None or at.content_hash != draft.content_hash):
                raise Unavailable(
                    "The connection to the database broke while this was written; nothing was stored. Try again.",
                    retry_after_s=1,
                )
            told.append(replace(outcome, position=at.position) if at and outcome.status != "conflict" else outcome)
        return tuple(told)

    def _append(self, connection: Connection, request: Append) -> tuple[Outcome, ...]:
        lock_log(connection)
        known = identities(connection, request.drafts)
        outcomes, fresh = sort_out(request, known)
        if request.drafts and not fresh:
            # All of it is stored already: a duplicate, whatever became of its streams since.
            self._insert_companions(connection, request.companions)
            return tuple(outcomes)
        versions = versions_of(connection, request, fresh)
        now = self.clock()
        recorded = utc_text(now)
        rows = number(fresh, head_of(connection), versions, recorded)
        insert_rows(connection, rows, now)
        self._insert_companions(connection, request.companions)
        if rows:
            _hint(connection, rows[-1].position)
        places = {(row.draft.source, row.draft.id): row.position for row in rows}
        return tuple(
            _placed(outcome, places.get((draft.source, draft.id)), recorded)
            for outcome, draft in zip(outcomes, request.drafts, strict=True)
        )

    def _insert_companions(self, connection: Connection, companions: Sequence[Companion]) -> None:
        for companion in companions:
            table = metadata.tables[companion.table]
            connection.execute(upsert(table).values(**companion.values).on_conflict_do_nothing())

    def append_stored(self, bodies: Sequence[bytes]) -> int:
        """Write events of a whole export after the current head, their bytes, times and versions kept.

        Returns the new head. For imports into a log that was empty when the import began; the caller checks that.
        """
        with self.database.begin() as connection:
            lock_log(connection)
            head = head_of(connection)
            rows = [stored_row(head + offset, body) for offset, body in enumerate(bodies, 1)]
            insert_rows(connection, rows, self.clock())
            if rows:
                _hint(connection, rows[-1].position)
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


def _placed(outcome: Outcome, position: int | None, recorded: str) -> Outcome:
    """The outcome with the position that its event got; a twin within the request has that of the first."""
    if outcome.status == "accepted":
        return replace(outcome, position=position, recorded_time=recorded)
    return outcome if outcome.position is not None else replace(outcome, position=position)


def _hint(connection: Connection, head: int) -> None:
    """Wake who waits; a hint only, polling is the truth."""
    connection.execute(text("SELECT pg_notify('lodestone_log', :head)"), {"head": str(head)})
