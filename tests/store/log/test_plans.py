"""At a million events every read of the log stays on an index: the planner is asked, for queries as they are sent."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select

from services.engine.book import events_of
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log, grouping
from services.store.tables import log_events, of_types
from tests.conftest import TEMPLATE
from tests.store.facts import straight

EVENTS = 1_000_000
RARE = "lodestone.requirements.requirement_issued.v1"
FILL = f"""
INSERT INTO log_events (position, stream, stream_version, type, recorded_at, content_hash, leaf_hash, body)
SELECT n, CASE WHEN n % 100 = 0 THEN 'feeds/magnus:magnus' ELSE 'motors/plant:M-' || n / 5 END,
    CASE WHEN n % 100 = 0 THEN n / 100 END,
    CASE WHEN n % 10000 = 1 THEN '{RARE}' ELSE 'lodestone.tests.kind_' || n % 12 || '.v1' END,
    now(), decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), '\\x7b7d'::bytea
FROM generate_series(1, {EVENTS}) AS n;
INSERT INTO log_identity SELECT md5(n::text)::uuid, n FROM generate_series(1, {EVENTS}) AS n;
INSERT INTO log_streams SELECT 'feeds/magnus:magnus', n, n * 100 FROM generate_series(1, {EVENTS // 100}) AS n;
ANALYZE log_identity, log_streams
"""


@pytest.fixture(scope="module")
def million(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database with a million small events; what they hold does not matter to a plan."""
    name = f"million_{os.getpid()}"
    postgres.make_database(name, template=TEMPLATE)
    addresses = postgres.addresses(name)
    with straight(addresses.owner) as connection:
        # Filled without the two that need not be there, which are then made as they were: a third of the time.
        made_by = "SELECT pg_get_indexdef('log_events_stream'::regclass), pg_get_indexdef('log_events_type'::regclass)"
        again = [str(index).replace(" ON ONLY ", " ON ") for index in connection.execute(made_by).fetchone() or ()]
        for statement in (
            "DROP INDEX log_events_stream, log_events_type",
            *FILL.split(";"),
            *again,
            "ANALYZE log_events",
        ):
            connection.execute(statement.encode())
    made = Database(addresses.service, addresses.owner, pool_size=2)
    yield made
    made.dispose()
    postgres.drop_database(name)


class Explained(psycopg.Cursor[Any]):
    """A cursor that keeps the plan of each statement before it runs it."""

    plans: tuple[str, ...] = ()

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        super().execute(f"EXPLAIN {query}", params)
        self.plans = (*self.plans, "\n".join(row[0] for row in self.fetchall()))
        return super().execute(query, params, **more)


class Asked(Log):
    """A log that explains a read instead of reading: the first query of each, and one that looks beyond its page."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.plans: list[str] = []

    def _rows(self, query: str, values: Any) -> list[Any]:
        self.plans.append("\n".join(row[0] for row in super()._rows(f"EXPLAIN {query}", values)))
        return []

    @property
    def plan(self) -> str:
        plan, *beyond = self.plans
        self.plans.clear()
        for other in beyond:
            on_an_index(other, "log_events_000_pkey")
        return plan


def on_an_index(plan: str, index: str) -> None:
    """The plan reads the rows by this index and nowhere goes through a whole table that has any."""
    assert index in plan, plan
    assert "Seq Scan on log_events_000" not in plan, plan
    assert "Seq Scan on log_identity" not in plan, plan
    assert "Seq Scan on log_streams" not in plan, plan


@pytest.mark.parametrize("after", [0, EVENTS // 2, EVENTS - 10])
def test_a_tail_read_walks_along_the_positions(million: Database, after: int) -> None:
    log = Asked(million)
    log.read_bytes(after, 1000)
    on_an_index(log.plan, "Index Scan using log_events_000_pkey")
    log.read_bytes(after, 1000, until=EVENTS)
    on_an_index(log.plan, "Index Scan using log_events_000_pkey")
    log.read_positions([after + 1, after + 5])
    on_an_index(log.plan, "log_events_000_pkey")


def test_a_stream_read_goes_by_the_stream(million: Database) -> None:
    log = Asked(million)
    log.read_stream("motors/plant:M-4711")
    on_an_index(log.plan, "log_events_000_stream_position_idx")
    log.read_stream("feeds/magnus:magnus", after_version=EVENTS // 100 - 10)
    on_an_index(log.plan, "log_events_000_stream_position_idx")


@pytest.mark.parametrize("number", [1, 100, 1000])
def test_an_identity_check_goes_by_the_key(million: Database, number: int) -> None:
    with million.dedicated() as connection, Explained(connection) as cursor:
        rows = connection.execute("SELECT key FROM log_identity LIMIT %s", (number,)).fetchall()
        found = grouping.located(cursor, [key.bytes for (key,) in rows])
        assert len(found) == number
        identities, hashes = cursor.plans
    on_an_index(identities, "log_identity_pkey")
    on_an_index(hashes, "log_events_000_pkey")


def test_the_head_and_the_versions_are_read_from_an_index(million: Database) -> None:
    with million.dedicated() as connection:
        rows = connection.execute("EXPLAIN SELECT coalesce(max(position), 0) FROM log_events").fetchall()
        on_an_index("\n".join(row[0] for row in rows), "Index Only Scan Backward using log_events_000_pkey")
        with Explained(connection) as cursor:
            grouping._versions(cursor, ["feeds/magnus:magnus", "proposals/p"])
            on_an_index(cursor.plans[0], "log_streams_pkey")


def test_a_read_of_rare_types_goes_by_the_type(million: Database) -> None:
    sent: list[tuple[str, Any]] = []

    def keep(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    with million.connect() as connection:
        event.listen(million.engine, "before_cursor_execute", keep)
        assert events_of(connection, ["lodestone.policies.policy_issued.v1"], 0, EVENTS) == []
        event.remove(million.engine, "before_cursor_execute", keep)
        ((statement, parameters),) = sent
        for kind in (RARE, "lodestone.policies.policy_issued.v1"):
            values = {name: kind if isinstance(value, str) else value for name, value in parameters.items()}
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
            on_an_index("\n".join(row[0] for row in rows), "log_events_000_type_position_idx")


def test_who_asks_for_types_does_so_in_the_one_way_that_finds_their_index():
    for path in (Path(__file__).resolve().parents[3] / "services").rglob("*.py"):
        found = re.findall(r"(?:log_events|table)\.c\.type(?:\.in_|\.any_| *==).*", path.read_text(encoding="utf-8"))
        assert found == [] or path.name == "tables.py", (path, found)


def test_a_page_of_a_rare_type_touches_no_other_event(million: Database) -> None:
    query = select(log_events.c.body).where(of_types([RARE]), log_events.c.position > EVENTS // 2).limit(100)
    with million.connect() as connection:
        told = query.order_by(log_events.c.position).compile(
            million.engine, compile_kwargs={"render_postcompile": True}
        )
        rows = connection.exec_driver_sql(f"EXPLAIN ANALYZE {told}", told.params).all()
    plan = "\n".join(row[0] for row in rows)
    on_an_index(plan, "log_events_000_type_position_idx")
    assert "Rows Removed by Filter" not in plan, plan
