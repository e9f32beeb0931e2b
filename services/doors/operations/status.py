"""How the service does: positions and lags, what waits, what is open; the same for HTTP, metrics and command line."""

from typing import Any

from sqlalchemy import func, select

from services.runtime import Runtime
from services.store.tables import parked_events, quarantine


def status(runtime: Runtime) -> dict[str, Any]:
    """`lodestone status --json` (design.md §9): positions, lags, quarantine, waiting, open proposals, version."""
    positions = runtime.projector.positions()
    head = runtime.log.head()
    return {
        "position": head,
        "projections": {name: _lag(positions.get(name, 0), head) for name in sorted(runtime.projector.projections)},
        "decider": _lag(runtime.decided(), head),
        **counts(runtime),
        "version": runtime.version,
    }


def _lag(position: int, head: int) -> dict[str, int]:
    return {"position": position, "lag": max(0, head - position)}


def counts(runtime: Runtime) -> dict[str, int]:
    """What is kept, parked, waiting and open."""
    refused = select(func.count()).select_from(quarantine).where(quarantine.c.resolved_at.is_(None))
    parked = select(func.count()).select_from(parked_events)
    with runtime.database.connect() as connection:
        return {
            "quarantine": int(connection.execute(refused).scalar_one()),
            "parked": int(connection.execute(parked).scalar_one()),
        }


def measure(runtime: Runtime) -> None:
    """Bring the gauges up to now, before they are read."""
    found, metrics = status(runtime), runtime.metrics
    metrics.head.set(found["position"])
    for name, projection in found["projections"].items():
        metrics.lag.labels(name).set(projection["lag"])
    metrics.lag.labels("decider").set(found["decider"]["lag"])
    metrics.quarantine.set(found["quarantine"])
    metrics.parked.set(found["parked"])
