"""How the service does: positions and lags, what waits, what is open; the same for HTTP, metrics and command line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from events.envelope import utc_text
from events.rules.proposals.state import DECIDABLE
from projections.folds.cases import Case
from projections.folds.correlation.rows import MotorResults
from projections.folds.lifetimes import MotorLife
from services.doors.operations import processes
from services.runtime import Runtime
from services.store.projecting.parking import seen
from services.store.projecting.raising import Raised
from services.store.reports import reports
from services.store.sealing.checkpoints import latest
from services.store.sealing.ledger.anchors import unanchored
from services.store.tables import log_events, parked_events, quarantine


def status(runtime: Runtime) -> dict[str, Any]:
    """`lodestone status --json` (design.md §9): positions, lags, quarantine, waiting, open proposals, version.

    `lag` counts events, `lag_s` is the age of the oldest of them. `stopped` is null, or the sentence that says which
    release to run. `processes` holds what worker, ingress, relay and shards last reported.
    """
    head = runtime.log.head()
    told = reports(runtime.database)
    return {
        "position": head,
        **progress(runtime, head),
        "stopped": runtime.projector.stopped(),
        "sealed": sealed(runtime, head),
        **counts(runtime),
        "processes": processes.shown(told, processes.begun(runtime.database, kafka=runtime.kafka), kafka=runtime.kafka),
        **({"relay": relayed(runtime, told, head)} if runtime.kafka else {}),
        "version": runtime.version,
    }


def progress(runtime: Runtime, head: int) -> dict[str, Any]:
    """How far each projection and the decider are behind the head."""
    positions = runtime.projector.positions()
    at = {name: positions.get(name, 0) for name in sorted(runtime.projector.projections)}
    decided = runtime.decided()
    with runtime.database.connect() as connection:
        age = ages(connection, {*at.values(), decided}, runtime.clock())
    beside = {one.name: one for one in runtime.projector.raising.shown()}
    return {
        "projections": {name: lag(position, head, age) | _raised(beside.get(name)) for name, position in at.items()},
        "decider": lag(decided, head, age),
    }


def _raised(one: Raised | None) -> dict[str, Any]:
    """Where readers see what another version of the fold made: which, and how far ours is folded beside."""
    return {"version": one.seen, "folding": {"version": one.version, "position": one.position}} if one else {}


def lag(position: int, head: int, age: dict[int, float]) -> dict[str, Any]:
    """How far behind the head a reader at this position is, in events and in seconds."""
    behind = max(0, head - position)
    return {"position": position, "lag": behind, "lag_s": round(age.get(position, 0.0), 3) if behind else 0.0}


def ages(connection: Connection, positions: Iterable[int], now: datetime) -> dict[int, float]:
    """Seconds since the event after each of these positions was recorded; nothing where there is none."""
    table = log_events
    following = [position + 1 for position in set(positions)]
    rows = connection.execute(select(table.c.position, table.c.recorded_at).where(table.c.position.in_(following)))
    return {row.position - 1: max(0.0, (now - row.recorded_at).total_seconds()) for row in rows}


def sealed(runtime: Runtime, head: int) -> dict[str, Any]:
    """How many events the newest checkpoint covers, how far that is behind, when and in which epoch it was signed.

    `anchored`: the log itself carries a checkpoint that covers everything but its own seals; nothing is late then.
    """
    with runtime.database.connect() as connection:
        last, anchored = latest(connection), not unanchored(connection)
        size, epoch = (last.size, last.epoch) if last else (0, 1)
        age = {} if anchored else ages(connection, [size], runtime.clock())
    found = lag(size, head, age)
    return {
        "size": size,
        "lag": found["lag"],
        "lag_s": found["lag_s"],
        "epoch": epoch,
        "signed_at": utc_text(last.signed_at) if last else None,
        "anchored": anchored,
    }


def relayed(runtime: Runtime, told: Iterable[processes.Report], head: int) -> dict[str, Any]:
    """How far the log is published to Kafka, by what the relay last said; position null while none was heard."""
    position = processes.relay_position(told)
    if position is None:
        return {"position": None, "lag": head, "lag_s": None}
    with runtime.database.connect() as connection:
        return lag(position, head, ages(connection, [position], runtime.clock()))


def counts(runtime: Runtime) -> dict[str, int]:
    """What is kept, parked, waiting and open."""
    refused = select(func.count()).select_from(quarantine).where(quarantine.c.resolved_at.is_(None))
    parked = select(func.count()).select_from(parked_events).where(seen())
    results, lives, cases = (runtime.projector.table(kind) for kind in (MotorResults, MotorLife, Case))
    waiting = [select(func.coalesce(func.sum(table.c.waiting), 0)) for table in (results, lives)]
    undecided = select(func.count()).select_from(cases).where(cases.c.state.in_(sorted(DECIDABLE)))
    with runtime.database.connect() as connection:
        return {
            "quarantine": int(connection.execute(refused).scalar_one()),
            "parked": int(connection.execute(parked).scalar_one()),
            "waiting_for_genealogy": sum(int(connection.execute(query).scalar_one()) for query in waiting),
            "proposals_open": int(connection.execute(undecided).scalar_one()),
        }
