"""Small true-to-shape events for the tests of the doors."""

from typing import Any
from uuid import uuid4

Event = dict[str, Any]


def ref(issuer: str, name: str) -> dict[str, str]:
    return {"issuer": issuer, "id": name}


def event(kind: str, source: str, data: dict[str, Any], **attributes: Any) -> Event:
    """A structured CloudEvent of version 1 of this kind."""
    return {
        "specversion": "1.0",
        "type": f"lodestone.{kind}.v1",
        "source": source,
        "id": str(uuid4()),
        "time": "2026-03-01T08:00:00+01:00",
        "data": data,
        **attributes,
    }


def efficiency(motor: str, value: float = 93.1, bench: str = "B1", **attributes: Any) -> Event:
    """An efficiency result of a motor."""
    data = {
        "motor": ref("plant", motor),
        "bench": ref("plant", bench),
        "tested_at": "2026-03-01T08:00:00+01:00",
        "operating_point": {
            "speed": {"value": 1500, "unit": "/min"},
            "torque": {"value": 120, "unit": "N.m"},
        },
        "magnet_temperature": {"how": "embedded_sensor", "value": {"value": 80, "unit": "Cel", "u": 1.0}},
        "why": "all",
        "efficiency": {"value": value, "unit": "%", "u": 0.1},
    }
    return event("tests.efficiency_measured", f"/benches/{bench}", data, **attributes)


def built(motor: str, lot: str = "L1", supplier: str = "magnus") -> Event:
    """The build record of a motor with magnets of one lot."""
    data = {
        "motor": ref("plant", motor),
        "motor_type": ref("plant", "M-1"),
        "built_at": "2026-02-01T08:00:00+01:00",
        "magnets": [{"lot": ref(supplier, lot), "pieces": 16}],
    }
    return event("motors.motor_built", "/manufacturing/plant", data)


def lot(name: str, supplier: str = "magnus", level: str = "magnet", inputs: Any = ()) -> Event:
    """A lot as its supplier registers it."""
    data = {
        "lot": ref(supplier, name),
        "level": level,
        "item": ref("plant", "SEG-1"),
        "supplier": ref(supplier, supplier),
        "site": "Works 1",
        "produced_at": "2026-01-10T08:00:00+01:00",
        "inputs": list(inputs),
    }
    return event("lots.lot_registered", f"/suppliers/{supplier}", data)
