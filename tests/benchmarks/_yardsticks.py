"""What others do with the same events on the same server: raw COPY, raw unnest, eventsourcing; and our own floor."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from sqlalchemy.engine import make_url

from services.store.log import copying
from services.store.log.sending import Copy, copy_all, run
from tests.benchmarks._parts import drafted, made, planned
from tests.store.facts import straight

_COPIES = {"COPY log_events ": "COPY floor_events ", "COPY log_identity ": "COPY floor_identity "}


class Yardsticks:
    """Plain tables and a recorder of the eventsourcing package, in the database of this URL."""

    def __init__(self, url: str, threads: int = 1, *, functions: bool = True) -> None:
        self.connection = straight(url)
        self.connection.execute("CREATE TABLE IF NOT EXISTS plain_text (body text); TRUNCATE plain_text")
        self.connection.execute("CREATE TABLE IF NOT EXISTS plain_bytes (body bytea); TRUNCATE plain_bytes")
        at = make_url(url)
        self.datastore = PostgresDatastore(
            dbname=str(at.database),
            host=str(at.query["host"]),
            port=5432,
            user=str(at.username),
            password=str(at.password),
            pool_size=threads,
            max_waiting=threads,
            enable_db_functions=functions,
        )
        self.datastore.pool.open(wait=True, timeout=60.0)
        self.recorder = PostgresApplicationRecorder(self.datastore, events_table_name="stored_events")
        self.recorder.create_table()
        self._numbers = count(self.recorder.max_notification_id() or 0)

    def close(self) -> None:
        self.datastore.close()
        self.connection.close()

    def texts(self, batches: Sequence[Sequence[bytes]]) -> list[list[str]]:
        return [[body.decode() for body in batch] for batch in batches]

    def copy(self, texts: Sequence[str]) -> None:
        """Raw text COPY, a row at a time, as the driver's documentation has it."""
        with self.connection.cursor() as cursor, cursor.copy("COPY plain_text FROM STDIN") as stream:
            for text in texts:
                stream.write_row((text,))

    def unnest(self, bodies: Sequence[bytes]) -> None:
        """Raw binary array."""
        self.connection.execute("INSERT INTO plain_bytes SELECT * FROM unnest(%b::bytea[])", (bodies,))

    def stored_events(self, batches: Sequence[Sequence[bytes]]) -> list[list[StoredEvent]]:
        """The bodies as that package stores them, each in an aggregate of its own."""
        return [
            [StoredEvent(UUID(int=next(self._numbers)), 1, "lodestone:Event", body) for body in batch]
            for batch in batches
        ]

    def record(self, batch: Sequence[StoredEvent]) -> Any:
        """One transaction of that package: its table lock, its insert, its commit."""
        return self.recorder.insert_events(batch)


class Floor:
    """Rows that are ready, into tables and indexes like the log's (without partitions), with their commit."""

    def __init__(self, url: str) -> None:
        self.connection = straight(url)
        for table in ("events", "identity"):
            self.connection.execute(f"DROP TABLE IF EXISTS floor_{table}".encode())
            self.connection.execute(f"CREATE TABLE floor_{table} (LIKE log_{table} INCLUDING ALL)".encode())
        self.head = 0

    def close(self) -> None:
        self.connection.close()

    def rate(self, batches: Sequence[Sequence[dict[str, Any]]], *, encoding: bool = False) -> float:
        """Events a second that the server takes in, all of whose rows were made before.

        With `encoding` the least that is needed of each is made again, a piece while the one before is written: sorted
        JSON, and the hashes of identity, content and leaf.
        """
        ready = []
        for batch in batches:
            plan = planned(drafted(batch))
            rows = made(copying.copies(plan.keys, plan.drafts, plan.numbers, self.head + 1, datetime.now(UTC)))
            rows = list(_made_again(rows, batch)) if encoding else rows
            ready.append([(_elsewhere(statement), make) for statement, make in rows])
            self.head += len(batch)
        start = time.perf_counter()
        for copies in ready:
            run(self.connection, "BEGIN")
            copy_all(self.connection, copies, "COMMIT")
        return sum(map(len, batches)) / (time.perf_counter() - start)


def _made_again(copies: Sequence[Copy], batch: Sequence[dict[str, Any]]) -> Iterator[Copy]:
    size, start = copying.piece_of(len(batch)), 0
    for statement, make in copies:
        if statement == copying.EVENTS:
            yield statement, partial(_encoded, batch[start : start + size], make)
            start += size
        else:
            yield statement, make


def _encoded(events: Sequence[dict[str, Any]], make: Callable[[], bytes]) -> bytes:
    for event in events:
        body = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
        for part in (body[:40], body, body):
            sha256(part).digest()
    return make()


def _elsewhere(statement: str) -> str:
    for ours, other in _COPIES.items():
        statement = statement.replace(ours, other)
    return statement
