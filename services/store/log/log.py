"""The log: the one seam through which everything is written, once, in one order for ever.

Numbered guarantees, each with a test: (1) positions are dense and position order is commit order; (2) an append is all
or nothing, companions included; (3) (source, id) is stored once; (4) a stream's version is what its last writer saw;
(5) nothing stored changes. The lock comes first, and every later read is its own statement: a single statement with
lock and max() would read the snapshot from before the wait.
"""

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import select

from events.envelope import SERVICE_ATTRIBUTES, Draft, Recorded, decode
from services.store.database import Database, prepared
from services.store.log import copying, grouping
from services.store.log.appending import Append, Located, Outcome, key_of
from services.store.log.sending import copy_all
from services.store.log.writer import Clock, Writer, wall_clock
from services.store.tables import identity_key, log_events, log_identity

_COLUMNS = "SELECT position, body FROM log_events WHERE "
_PAGE = _COLUMNS + "position > %s AND position <= %s ORDER BY position"
"""Positions are dense, so the end of a page is known: the server plans for one partition, not for all that follow."""
_NEXT = "SELECT position FROM log_events WHERE position > %s ORDER BY position LIMIT %s"
READ_AT_ONCE = 200
"""Rows of a page that come together: the server finds the next ones while these are decoded."""


class LogHole(RuntimeError):
    """A page of the log is not contiguous: an alarm, never skipped."""


class Log:
    """The append-only log in PostgreSQL.

    `guard` is called before anything is taken in; what it raises refuses the request.
    """

    def __init__(
        self, database: Database, clock: Clock = wall_clock, *, guard: Callable[[], None] = lambda: None
    ) -> None:
        self.database = database
        self.clock = clock
        self.guard = guard
        self.writer = Writer(database, clock)
        weakref.finalize(self, self.writer.finish)

    def append(self, request: Append) -> tuple[Outcome, ...]:
        """Write a request, all or nothing; one outcome for each draft, in order.

        Requests of several threads share a commit, and none feels the others: a refused one fails alone. Raises
        VersionConflict when a stream moved on (CursorMoved: a cursor), Conflicts (atomic requests) when an identity is
        taken by another payload, Unavailable when the database is away, too much waits, or the log was closed. A
        commit whose answer was lost is looked up.
        """
        self.guard()
        return self.writer.append(request)

    def close(self) -> None:
        """Finish what was accepted, then refuse what comes later."""
        self.writer.close()

    def append_stored(self, bodies: Sequence[bytes]) -> int:
        """Write events of a whole export after the current head, their bytes, times and versions kept.

        Returns the new head. For imports into a log that was empty when the import began; the caller checks that.
        """
        self.guard()
        with self.database.guarded(), prepared(), grouping.connected(self.database) as connection:
            head = grouping.lock(connection)
            stored = [_stored(body) for body in bodies]
            drafts, numbers = [draft for draft, _ in stored], [number for _, number in stored]
            keys = list(map(key_of, drafts))
            rows = copying.copies(keys, drafts, numbers, head + 1, self.clock(), bodies)
            copy_all(connection, rows, f"NOTIFY lodestone_log, '{head + len(bodies)}'; COMMIT")
        return head + len(bodies)

    def head(self) -> int:
        """The last position; 0 for an empty log."""
        ((head,),) = self._rows("SELECT coalesce(max(position), 0) FROM log_events", ())
        return int(head)

    def read_bytes(self, after: int, limit: int, until: int | None = None) -> list[tuple[int, bytes]]:
        """Up to `limit` stored events after a position, in order. Raises LogHole when the page is not contiguous."""
        last = after + limit if until is None else min(after + limit, until)
        rows = self._rows(_PAGE, (after, last))
        self._check(after, last, len(rows), rows[-1][0] if rows else after)
        return rows

    def read(self, after: int, limit: int, until: int | None = None) -> list[Recorded]:
        """Like `read_bytes`, decoded."""
        last = after + limit if until is None else min(after + limit, until)
        with self.database.connect() as connection, prepared():
            raw: Any = connection.connection.driver_connection
            with raw.cursor(binary=True) as cursor:
                page = [decode(*row) for row in cursor.stream(_PAGE, (after, last), size=READ_AT_ONCE)]
        self._check(after, last, len(page), page[-1].position if page else after)
        return page

    def read_stream(self, stream: str, after_version: int = 0) -> list[Recorded]:
        """The events of one stream, in order; for streams with versions, those after `after_version`."""
        query, values = "stream = %s", list[Any]([stream])
        if after_version:
            query, values = "stream = %s AND stream_version > %s", [stream, after_version]
        return [decode(*row) for row in self._rows(f"{_COLUMNS}{query} ORDER BY position", values)]

    def read_positions(self, positions: Sequence[int]) -> list[Recorded]:
        """The events at these positions, in order of position."""
        query = "position = ANY(%s) ORDER BY position"
        return [decode(*row) for row in self._rows(_COLUMNS + query, [list(positions)])]

    def read_named(self, names: Iterable[tuple[str, str]]) -> list[Recorded]:
        """Those of the events with these (source, id) that are stored, in order of position."""
        keys = [identity_key(*name) for name in names]
        if not keys:
            return []
        found = self._rows("SELECT position FROM log_identity WHERE key = ANY(%s)", (keys,))
        return self.read_positions([position for (position,) in found])

    def body(self, position: int) -> bytes | None:
        """The stored bytes at a position, or None."""
        rows = self._rows(_COLUMNS + "position = %s", [position])
        return rows[0][1] if rows else None

    def find(self, source: str, id: str) -> Located | None:
        """Where the event with this identity is stored, or None."""
        key = identity_key(source, id)
        with self.database.connect() as connection:
            position = connection.scalar(select(log_identity.c.position).where(log_identity.c.key == key))
            if position is None:
                return None
            hashed = select(log_events.c.content_hash).where(log_events.c.position == position)
            return Located(position, bytes(connection.execute(hashed).scalar_one()))

    def _check(self, after: int, last: int, count: int, end: int) -> None:
        """Raises LogHole when a page that ends at `end` leaves out a position, or ends before a hole."""
        if end == after + count and end >= last:
            return
        start = after if end != after + count else end
        for expected, (position,) in enumerate(self._rows(_NEXT, (start, max(1, last - start))), start + 1):
            if position != expected:
                raise LogHole(f"The log has no event at position {expected}; the next one is {position}.")

    def _rows(self, query: str, values: Sequence[Any]) -> list[Any]:
        """Rows by the driver alone, in binary: a page is read a hundred thousand times an hour."""
        with self.database.connect() as connection, prepared():
            raw: Any = connection.connection.driver_connection
            return raw.execute(query, values, binary=True).fetchall()  # type: ignore[no-any-return]


def _stored(body: bytes) -> tuple[Draft, int | None]:
    """The event of exported bytes as it was received, for the content hash is of that; and its version."""
    event: dict[str, Any] = orjson.loads(body)
    version = event.get("streamversion")
    received = {name: value for name, value in event.items() if name not in SERVICE_ATTRIBUTES}
    return Draft(received, event["stream"], version is not None), None if version is None else int(version)
