"""The fleet of the benchmarks: lots that arrive one after the other, motors built from the lots at hand, and tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from examples.prius.fleet import plant
from examples.simulated.events import Event, event, measured, ref

PLANT, BENCHES = "plant", ("B1", "B2", "B3")
START = datetime(2026, 1, 1, tzinfo=UTC)
MIXED = 0.1
"""The share of motors with pieces of two lots, of neighbouring ones, as a store is emptied."""


def fleet(lots: int, motors_per_lot: int, seed: int = 7) -> Iterator[Event]:
    """Lots with a certificate each, and motors with a build record, an efficiency, a flux and a vibration result.

    In order of arrival: a lot, then its motors, each built and tested in turn; 10 % of the motors hold pieces of the
    lot before too.
    """
    chance = Random(seed)
    yield event(
        "motors.motor_type_registered", f"/manufacturing/{PLANT}", "type", START,
        {"motor_type": ref(PLANT, "T"), "name": "Benchmark", "magnet_item": ref(PLANT, "MAG"),
         "design": dict(plant().design)},
    )  # fmt: skip
    for number in range(lots):
        at = START + timedelta(hours=6 * number)
        yield from _lot(number, at, chance)
        for serial in range(number * motors_per_lot, (number + 1) * motors_per_lot):
            yield from _motor(serial, number, at + timedelta(minutes=serial % motors_per_lot), chance)


def _lot(number: int, at: datetime, chance: Random) -> Iterator[Event]:
    name, maker = f"L{number:05d}", f"maker-{number % 3}"
    lot = {
        "lot": ref(maker, name),
        "level": "magnet",
        "item": ref(PLANT, "MAG"),
        "supplier": ref(maker, maker),
        "site": "Works",
        "produced_at": at.isoformat(),
        "inputs": [],
    }
    yield event("lots.lot_registered", f"/suppliers/{maker}", f"lot-{name}", at, lot)
    reading = {
        "characteristic": "magnet.HcJ",
        "value": measured(chance.gauss(2100, 12), "kA/m", 15.0),
        "statistic": "lot_mean",
        "n": 20,
    }
    paper = {
        "lot": ref(maker, name),
        "certificate": f"C-{name}",
        "laboratory": ref(maker, maker),
        "method": "IEC 60404-5",
        "measurements": [reading],
    }
    yield event("lots.lot_certified", f"/suppliers/{maker}", f"certificate-{name}", at, paper)


def _motor(serial: int, lot: int, at: datetime, chance: Random) -> Iterator[Event]:
    name, bench = f"M-{serial:07d}", BENCHES[serial % len(BENCHES)]
    shares = [(lot, 16)] if lot == 0 or chance.random() >= MIXED else [(lot, 10), (lot - 1, 6)]
    magnets = [{"lot": ref(f"maker-{part % 3}", f"L{part:05d}"), "pieces": pieces} for part, pieces in shares]
    build = {
        "motor": ref(PLANT, name),
        "motor_type": ref(PLANT, "T"),
        "built_at": at.isoformat(),
        "line": "L1",
        "stator_batch": f"ST-{at:%G-W%V}",
        "magnets": magnets,
    }
    yield event("motors.motor_built", f"/manufacturing/{PLANT}", f"built-{name}", at, build)
    values: dict[str, dict[str, Any]] = {
        "efficiency": {"efficiency": measured(chance.gauss(92.7, 0.1), "%", 0.08, 3)},
        "flux": {"characteristic": "motor.Ke20", "value": measured(chance.gauss(88, 0.3), "mV.min", 0.1, 3)},
        "vibration": {
            "characteristic": "motor.v_1x",
            "velocity": measured(chance.uniform(0.1, 0.6), "mm/s", 0.02, 3),
            "band": {"low": measured(10.0, "Hz"), "high": measured(1000.0, "Hz")},
            "mounting": "free",
        },
    }
    for step, (kind, value) in enumerate(values.items(), 1):
        tested = at + timedelta(hours=step)
        yield event(
            f"tests.{kind}_measured", f"/benches/{bench}", f"{kind}-{name}", tested,
            _test(name, bench, tested, chance) | value,
        )  # fmt: skip


def _test(motor: str, bench: str, at: datetime, chance: Random) -> dict[str, Any]:
    return {
        "motor": ref(PLANT, motor),
        "bench": ref(PLANT, bench),
        "tested_at": at.isoformat(),
        "operator": f"operator-{at.hour % 2}",
        "fixture": "F1",
        "calibration": f"CAL-{bench}-1",
        "why": "all",
        "operating_point": {"speed": measured(1500.0, "/min"), "torque": measured(120.0, "N.m")},
        "magnet_temperature": {"how": "embedded_sensor", "value": measured(chance.gauss(60, 2), "Cel", 2.0, 1)},
        "standard": {"standard": "IEC 60034-2-3", "edition": "2024", "clause": "input-output"},
    }
