"""Where the time of an append goes, and of a page read: parts of 1000 events by themselves, in microseconds each."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from statistics import median
from typing import Any

import orjson

from events.envelope import Draft, decode, draft_of, stored_bytes
from events.receive import receive
from services.store.database import Database
from services.store.log import Append, copying
from services.store.log.appending import Plan
from services.store.log.sending import Copy, copy_all
from tests.benchmarks._table import Row, row

RECORDED = "2026-03-01T08:00:00.000000Z"
ABOVE = 250_000_000
"""Positions that no log of the benchmark reaches; the rows there are rolled back."""


def part_rows(database: Database, events: Sequence[dict[str, Any]]) -> dict[str, Row]:
    """What our process does, then what the server does with rows that are ready."""
    drafts = drafted(events)
    plan = planned(drafts)
    bodies = [stored_bytes(draft, RECORDED, None) for draft in drafts]
    now = datetime.now(UTC)
    ready = made(copying.copies(plan.keys, plan.drafts, plan.numbers, ABOVE + 1, now))
    given = only(copying.EVENTS, copying.copies(plan.keys, plan.drafts, plan.numbers, ABOVE + 1, now, bodies))
    parts: dict[str, float] = {
        "canonical bytes": spent(lambda: [draft_of(event, "s", versioned=False).canonical for event in events]),
        "three hashes": spent(lambda: [(sha256(b).digest(), sha256(b).digest(), sha256(b[:40])) for b in bodies]),
        "identities, positions, versions": spent(lambda: planned(drafts)),
        "rows of COPY, bytes given": spent(lambda: made(given)),
        "our process, before the server has a row": spent(lambda: first_rows(events, now)),
        "our process, all of it": spent(lambda: encoded(events, now)),
    }
    with database.dedicated() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (LIKE log_events)")

        def server(copies: Sequence[Copy]) -> float:
            def send() -> None:
                cursor.execute("BEGIN", prepare=False)
                copy_all(connection, copies)
                cursor.execute("ROLLBACK", prepare=False)

            return spent(send)

        bare = [
            (statement.replace("COPY log_events", "COPY bare"), make) for statement, make in only(copying.EVENTS, ready)
        ]
        parts["server: the rows without an index or a log of changes"] = server(bare)
        parts["server: the rows with three indexes"] = server(only(copying.EVENTS, ready))
        parts["server: the identities with their index"] = server(only(copying.IDENTITIES, ready))
        parts["server: all of it, but for the commit"] = server(ready)
    rows = {f"append_1000, of it {name}": row(value, None, "-", "us/event") for name, value in parts.items()}
    before = spent(lambda: [receive(event) for event in events])
    return rows | {"receive, before any append": row(before, None, "-", "us/event")}


def read_parts(bodies: Sequence[bytes]) -> dict[str, Row]:
    """What reading costs in our process after the rows came: all of it, and the JSON alone."""
    parts = {
        "recorded events": spent(lambda: [decode(1, body).data for body in bodies]),
        "JSON alone, by orjson": spent(lambda: [orjson.loads(body) for body in bodies]),
    }
    return {f"read_page, of it {name}": row(value, None, "-", "us/event") for name, value in parts.items()}


def drafted(events: Sequence[dict[str, Any]]) -> list[Draft]:
    return [draft_of(event, f"motors/example-motors:{event['id']}", versioned=False) for event in events]


def only(statement: str, copies: Sequence[Copy]) -> list[Copy]:
    return [one for one in copies if one[0] == statement]


def made(copies: Sequence[Copy]) -> list[Copy]:
    """The same COPYs with their rows made once."""

    def again(rows: bytes) -> Callable[[], bytes]:
        return lambda: rows

    return [(statement, again(make())) for statement, make in copies]


def encoded(events: Sequence[dict[str, Any]], now: datetime) -> None:
    """From events to the rows of every COPY."""
    plan = planned(drafted(events))
    made(copying.copies(plan.keys, plan.drafts, plan.numbers, ABOVE + 1, now))


def first_rows(events: Sequence[dict[str, Any]], now: datetime) -> None:
    """From events to the first row that can be sent, an identity: nothing of the server's overlaps with it."""
    plan = planned(drafted(events))
    made(copying.copies(plan.keys, plan.drafts, plan.numbers, ABOVE + 1, now)[:1])


def planned(drafts: Sequence[Draft]) -> Plan:
    plan = Plan(ABOVE, RECORDED, {}, {})
    plan.take(Append(tuple(drafts), atomic=False))
    return plan


def spent(action: Callable[[], object], repeats: int = 9) -> float:
    """Median time of one run over 1000 events, in microseconds an event."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times) * 1e3
