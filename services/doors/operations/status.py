"""How the service does: positions and lags, what waits, what is open; the same for HTTP, metrics and command line."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from events.envelope import utc_text
from events.rules.proposals.state import DECIDABLE
from projections.folds.cases import Case
from projections.folds.correlation.rows import MotorResults
from projections.folds.lifetimes import MotorLife
from services.runtime import Runtime
from services.store.sealing.checkpoints import latest
from services.store.sealing.ledger.anchors import unanchored
from services.store.tables import parked_events, quarantine


def status(runtime: Runtime) -> dict[str, Any]:
    """`lodestone status --json` (design.md §9): positions, lags, quarantine, waiting, open proposals, version.

    `stopped` is null, or the sentence that says which release to run.
    """
    positions = runtime.projector.positions()
    head = runtime.log.head()
    return {
        "position": head,
        "projections": {name: _lag(positions.get(name, 0), head) for name in sorted(runtime.projector.projections)},
        "decider": _lag(runtime.decided(), head),
        "stopped": runtime.projector.stopped(),
        "sealed": sealed(runtime, head),
        **counts(runtime),
        "version": runtime.version,
    }


def _lag(position: int, head: int) -> dict[str, int]:
    return {"position": position, "lag": max(0, head - position)}


def sealed(runtime: Runtime, head: int) -> dict[str, Any]:
    """How many events the newest checkpoint covers, how far that is behind, when and in which epoch it was signed.

    `anchored`: the log itself carries a checkpoint that covers everything but its own seals.
    """
    with runtime.database.connect() as connection:
        last, anchored = latest(connection), not unanchored(connection)
    size, epoch = (last.size, last.epoch) if last else (0, 1)
    signed_at = utc_text(last.signed_at) if last else None
    return {
        "size": size,
        "lag": max(0, head - size),
        "epoch": epoch,
        "signed_at": signed_at,
        "anchored": anchored,
    }


def counts(runtime: Runtime) -> dict[str, int]:
    """What is kept, parked, waiting and open."""
    refused = select(func.count()).select_from(quarantine).where(quarantine.c.resolved_at.is_(None))
    parked = select(func.count()).select_from(parked_events)
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


def measure(runtime: Runtime) -> None:
    """Bring the gauges up to now, before they are read."""
    found, metrics = status(runtime), runtime.metrics
    metrics.head.set(found["position"])
    for name, projection in found["projections"].items():
        metrics.lag.labels(name).set(projection["lag"])
    metrics.lag.labels("decider").set(found["decider"]["lag"])
    metrics.sealed.set(found["sealed"]["size"])
    if found["sealed"]["signed_at"]:
        signed_at = datetime.fromisoformat(found["sealed"]["signed_at"])
        metrics.checkpoint_age.set((runtime.clock() - signed_at).total_seconds())
    metrics.quarantine.set(found["quarantine"])
    metrics.parked.set(found["parked"])
    metrics.waiting.set(found["waiting_for_genealogy"])
    metrics.proposals_open.set(found["proposals_open"])
