"""The figures of `/metrics`: from the database at the moment of asking, and from what the other processes reported."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from events.errors import Unavailable
from events.rules.proposals.state import DECIDABLE
from projections.folds.cases import Case
from services.doors.operations.processes import figures_of
from services.doors.operations.status import status
from services.measurements import Figure
from services.runtime import Runtime
from services.store.projecting.parking import seen
from services.store.reports import Report, reports
from services.store.tables import parked_events


def figures(runtime: Runtime) -> list[Figure]:
    """Everything that is asked for at a scrape; while the database is away, only what this process knows by itself."""
    mine = [Figure("lodestone_kafka_configured", (), float(runtime.kafka)), *_pool(runtime), *_queue(runtime)]
    try:
        runtime.database.ping()
    except Unavailable:
        return [Figure("lodestone_database_up", (), 0.0), *mine]
    mine.append(Figure("lodestone_database_up", (), 1.0))
    with suppress(Unavailable):  # it went away just now, or its tables are still to be made
        mine += _asked(runtime)
    return mine


def _pool(runtime: Runtime) -> Iterator[Figure]:
    pool: Any = runtime.database.engine.pool
    yield Figure("db_client_connection_count", ("used",), pool.checkedout())
    yield Figure("db_client_connection_count", ("idle",), pool.checkedin())
    yield Figure("db_client_connection_max", (), pool.size() + pool._max_overflow)


def _queue(runtime: Runtime) -> Iterator[Figure]:
    yield Figure("lodestone_append_queue_events", (), runtime.log.writer.waiting)
    yield Figure("lodestone_append_queue_limit_events", (), runtime.log.writer.waiting_limit)


def _asked(runtime: Runtime) -> Iterator[Figure]:
    found = status(runtime)
    yield from _progress(found)
    yield from _seals(found["sealed"])
    for name, key in (
        ("lodestone_quarantine_items", "quarantine"),
        ("lodestone_waiting_for_genealogy", "waiting_for_genealogy"),
        ("lodestone_proposals_open", "proposals_open"),
    ):
        yield Figure(name, (), found[key])
    with runtime.database.connect() as connection:
        yield from _parked(connection, runtime)
        yield from _people(connection, runtime)
        yield from _feeds(connection)
        yield from _leases(connection)
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        yield Figure("lodestone_database_size_bytes", (), float(size))
    for one in reports(runtime.database):
        yield from _reported(one)


def _progress(found: dict[str, Any]) -> Iterator[Figure]:
    yield Figure("lodestone_log_position", (), found["position"])
    yield Figure("lodestone_projection_stopped", (), 0.0 if found["stopped"] is None else 1.0)
    for name, one in {**found["projections"], "decider": found["decider"]}.items():
        yield Figure("lodestone_projection_position", (name,), one["position"])
        yield Figure("lodestone_projection_lag_events", (name,), one["lag"])
        yield Figure("lodestone_projection_lag_seconds", (name,), one["lag_s"])
    relay = found.get("relay")
    if relay is not None and relay["position"] is not None:
        yield Figure("lodestone_relay_lag_events", (), relay["lag"])
        yield Figure("lodestone_relay_lag_seconds", (), relay["lag_s"])


def _seals(sealed: dict[str, Any]) -> Iterator[Figure]:
    yield Figure("lodestone_seal_position", (), sealed["size"])
    yield Figure("lodestone_seal_lag_events", (), sealed["lag"])
    yield Figure("lodestone_seal_lag_seconds", (), sealed["lag_s"])
    if sealed["signed_at"]:
        at = datetime.fromisoformat(sealed["signed_at"]).timestamp()
        yield Figure("lodestone_seal_signed_timestamp_seconds", (), at)


def _parked(connection: Connection, runtime: Runtime) -> Iterator[Figure]:
    table = parked_events
    query = select(table.c.projection, func.count().label("events")).where(seen()).group_by(table.c.projection)
    rows = connection.execute(query)
    counted = {str(row.projection): int(row.events) for row in rows}
    for name in sorted({*counted, *runtime.projector.projections}):
        yield Figure("lodestone_parked_events", (name,), counted.get(name, 0))


def _people(connection: Connection, runtime: Runtime) -> Iterator[Figure]:
    """For how long the oldest open proposal has waited for a person."""
    cases = runtime.projector.table(Case)
    oldest = connection.execute(
        select(func.min(cases.c.changed_at)).where(cases.c.state.in_(sorted(DECIDABLE)))
    ).scalar()
    waited = (runtime.clock() - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0.0
    yield Figure("lodestone_proposal_oldest_open_seconds", (), max(0.0, waited))


_FEEDS = text("""
SELECT count(*) AS feeds, coalesce(sum(entries), 0) AS entries, count(*) FILTER (WHERE entries > headed) AS behind
FROM (
    SELECT stream, max(version) AS entries,
        (SELECT coalesce(max(size), 0) FROM log_feed_checkpoints WHERE party = substr(stream, 7)) AS headed
    FROM log_streams WHERE stream >= 'feeds/' AND stream < 'feeds0' GROUP BY stream
) AS each
""")
"""By the index of streams; the parties' names are nobody's business here."""


def _feeds(connection: Connection) -> Iterator[Figure]:
    row = connection.execute(_FEEDS).one()
    yield Figure("lodestone_feeds", (), row.feeds)
    yield Figure("lodestone_feed_entries", (), float(row.entries))
    yield Figure("lodestone_feed_heads_behind", (), row.behind)


_LEASES = text("SELECT name, owner, epoch, expires_at > clock_timestamp() AS held FROM leases ORDER BY name")


def _leases(connection: Connection) -> Iterator[Figure]:
    for row in connection.execute(_LEASES):
        if row.name.startswith("rebuild:"):
            continue
        yield Figure("lodestone_lease_held", (row.name, row.owner), 1.0 if row.held else 0.0)
        yield Figure("lodestone_lease_takeovers_total", (row.name,), row.epoch - 1)


def _reported(one: Report) -> Iterator[Figure]:
    """A silent process is down; its last numbers are no longer true."""
    yield Figure("lodestone_process_up", (one.name, one.owner), 1.0 if one.living else 0.0)
    yield Figure("lodestone_process_report_age_seconds", (one.name, one.owner), one.age_s)
    if one.living:
        for name, labels, value in figures_of(one):
            yield Figure(name, tuple(labels), value, one.owner)
