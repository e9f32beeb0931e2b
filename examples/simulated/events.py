"""CloudEvents of the simulated plant: one small function for each kind of fact, every one labelled synthetic."""

from datetime import datetime
from typing import Any

from events.catalogue import newest

Event = dict[str, Any]


def ref(issuer: str, name: str) -> dict[str, str]:
    return {"issuer": issuer, "id": name}


def measured(value: float, unit: str, u: float | None = None, digits: int = 4) -> dict[str, Any]:
    """A value rounded as an instrument would print it."""
    quantity: dict[str, Any] = {"value": round(value, digits), "unit": unit}
    if u is not None:
        quantity["u"] = u
    return quantity


def event(kind: str, source: str, name: str, time: datetime, data: dict[str, Any]) -> Event:
    """A CloudEvent of this kind in its newest version, with its data labelled synthetic."""
    return {
        "specversion": "1.0",
        "type": newest(kind),
        "source": source,
        "id": name,
        "time": time.isoformat(),
        "data": {**data, "origin": "synthetic"},
    }


def reading(key: str, value: float, unit: str, u: float | None = None, **more: Any) -> dict[str, Any]:
    return {"characteristic": key, "value": measured(value, unit, u), **more}
