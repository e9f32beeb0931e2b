"""Motors of the simulated plant and what its benches measure on them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from examples.simulated.events import Event, event, measured, ref
from examples.simulated.materials import MagnetLot
from examples.simulated.plant import Plant
from examples.simulated.response import motor_values

PIECES = 16
MOTOR_SD = {"motor.eta": 0.05, "motor.Ke20": 0.25, "motor.dpsi_irr": 0.10, "motor.v_1x": 0.05}
BENCH_SD = {"motor.eta": 0.03, "motor.Ke20": 0.10, "motor.dpsi_irr": 0.03, "motor.v_1x": 0.02}
REPEAT_SD = {"motor.eta": 0.04, "motor.Ke20": 0.08, "motor.dpsi_irr": 0.05, "motor.v_1x": 0.02}
FLUX_ALPHA_PER_K = -0.0011


@dataclass(frozen=True, slots=True)
class Motor:
    """One motor: its serial, its magnets, and its true results."""

    serial: str
    shares: tuple[tuple[MagnetLot, int], ...]
    built_at: datetime
    truth: dict[str, float]


def motors(plant: Plant, lots: list[MagnetLot], rng: np.random.Generator) -> tuple[list[Event], list[Motor]]:
    """Every motor with its build event; each `mixed_every`th one has magnets of two lots of one supplier."""
    made: list[Motor] = []
    for round_number in range(plant.motors_per_lot):
        for lot in lots:
            made.append(_motor(plant, lots, lot, len(made) + 1, round_number, rng))
    return [_built(plant, motor) for motor in made], made


def _motor(
    plant: Plant, lots: list[MagnetLot], lot: MagnetLot, number: int, round_number: int, rng: np.random.Generator
) -> Motor:
    shares: tuple[tuple[MagnetLot, int], ...] = ((lot, PIECES),)
    if plant.mixed_every and number % plant.mixed_every == 0:
        same = [other for other in lots if other.supplier == lot.supplier and other.id != lot.id]
        partner = same[round_number % len(same)]
        shares = ((lot, PIECES - 6), (partner, 6))
    blend = {
        key: sum(part.values[key] * pieces for part, pieces in shares) / PIECES for key in plant.nominal_magnet
    }  # fmt: skip
    truth = motor_values(plant, blend, plant.motor["soak_Cel"])
    truth = {key: value + MOTOR_SD[key] * rng.standard_normal() for key, value in truth.items()}
    latest = max(part.produced_at for part, _ in shares)
    built = max(latest + timedelta(days=10), datetime.fromisoformat(plant.start) + timedelta(days=80))
    serial = plant.serial_pattern.format(type=plant.motor_type, number=number)
    return Motor(serial, shares, built + timedelta(days=round_number, minutes=7 * number), truth)


def _built(plant: Plant, motor: Motor) -> Event:
    data = {
        "motor": ref(plant.manufacturer, motor.serial),
        "motor_type": ref(plant.manufacturer, plant.motor_type),
        "built_at": motor.built_at.isoformat(),
        "line": "L1",
        "stator_batch": f"ST-{motor.built_at:%G-W%V}",
        "magnets": [{"lot": ref(lot.supplier.id, lot.id), "pieces": pieces} for lot, pieces in motor.shares],
    }
    source = f"/manufacturing/{plant.manufacturer}"
    return event("motors.motor_built", source, f"built-{motor.serial}", motor.built_at, data)


def results(plant: Plant, made: list[Motor], rng: np.random.Generator) -> Iterator[Event]:
    """Efficiency, flux and vibration of every motor; soak of every third; endurance of every second."""
    bias = {bench: {key: sd * rng.standard_normal() for key, sd in BENCH_SD.items()} for bench in plant.benches}
    lots = len({lot.id for motor in made for lot, _ in motor.shares})
    for number, motor in enumerate(made):
        # Benches take motors in turn within each round of lots, so that every lot meets every bench.
        bench = plant.benches[(number + number // lots) % len(plant.benches)]
        tested = motor.built_at + timedelta(days=2)
        seen = {
            key: motor.truth[key] + bias[bench][key] + REPEAT_SD[key] * rng.standard_normal() for key in MOTOR_SD
        }  # fmt: skip
        yield _efficiency(plant, motor, bench, tested, seen["motor.eta"])
        yield _flux(plant, motor, bench, tested + timedelta(hours=1), seen["motor.Ke20"], rng)
        yield _vibration(plant, motor, bench, tested + timedelta(hours=2), seen["motor.v_1x"])
        if (number // lots) % 2 == 0:
            yield _thermal(plant, motor, bench, tested + timedelta(days=3), seen["motor.dpsi_irr"])
        else:
            yield _endurance(plant, motor, bench, tested + timedelta(days=5), rng)


def _base(plant: Plant, motor: Motor, bench: str, tested: datetime, why: str) -> dict[str, Any]:
    return {
        "motor": ref(plant.manufacturer, motor.serial),
        "bench": ref(plant.manufacturer, bench),
        "tested_at": tested.isoformat(),
        "operator": "operator-1" if tested.hour < 14 else "operator-2",
        "fixture": "F1",
        "calibration": f"CAL-{bench}-1",
        "why": why,
    }


def _test(plant: Plant, kind: str, motor: Motor, bench: str, tested: datetime, data: dict[str, Any]) -> Event:
    name = f"{kind.partition('_')[0]}-{motor.serial}"
    return event(f"tests.{kind}", f"/benches/{bench}", name, tested, data)


def _efficiency(plant: Plant, motor: Motor, bench: str, tested: datetime, value: float) -> Event:
    data = _base(plant, motor, bench, tested, "all") | {
        "operating_point": {
            "speed": measured(plant.motor["speed_rpm"], "/min"),
            "torque": measured(plant.motor["torque_Nm"], "N.m"),
        },
        "magnet_temperature": {"how": "embedded_sensor", "value": measured(60.0, "Cel", 2.0)},
        "winding_temperature": measured(80.0, "Cel", 1.0),
        "standard": {"standard": "IEC 60034-2-3", "edition": "2024", "clause": "input-output"},
        "efficiency": measured(value, "%", 0.08, 3),
    }
    return _test(plant, "efficiency_measured", motor, bench, tested, data)


def _flux(plant: Plant, motor: Motor, bench: str, tested: datetime, value: float, rng: np.random.Generator) -> Event:
    temperature = 24.0 + 2.0 * rng.standard_normal()
    value *= 1.0 + FLUX_ALPHA_PER_K * (temperature - 20.0)
    data = _base(plant, motor, bench, tested, "all") | {
        "operating_point": {"speed": measured(1000.0, "/min")},
        "magnet_temperature": {"how": "embedded_sensor", "value": measured(temperature, "Cel", 1.0, 1)},
        "standard": {"standard": "IEC 60034-4-1", "edition": "2018", "clause": "open-circuit"},
        "characteristic": "motor.Ke20",
        "value": measured(value, "mV.min", 0.1, 3),
    }
    return _test(plant, "flux_measured", motor, bench, tested, data)


def _vibration(plant: Plant, motor: Motor, bench: str, tested: datetime, value: float) -> Event:
    data = _base(plant, motor, bench, tested, "all") | {
        "operating_point": {"speed": measured(plant.motor["speed_rpm"], "/min")},
        "magnet_temperature": {"how": "embedded_sensor", "value": measured(30.0, "Cel", 2.0)},
        "standard": {"standard": "IEC 60034-14", "edition": "2018", "clause": "free suspension"},
        "characteristic": "motor.v_1x",
        "velocity": measured(max(value, 0.01), "mm/s", 0.02, 3),
        "band": {"low": measured(10.0, "Hz"), "high": measured(1000.0, "Hz")},
        "mounting": "free",
    }
    return _test(plant, "vibration_measured", motor, bench, tested, data)


def _thermal(plant: Plant, motor: Motor, bench: str, tested: datetime, value: float) -> Event:
    soak = plant.motor["soak_Cel"]
    data = _base(plant, motor, bench, tested, "random") | {
        "magnet_temperature": {"how": "embedded_sensor", "value": measured(soak, "Cel", 2.0)},
        "standard": {"standard": "IEC TR 62518", "edition": "2009", "clause": "isothermal exposure"},
        "characteristic": "motor.dpsi_irr",
        "loss": measured(value, "%", 0.1, 3),
        "soak": {
            "temperature": measured(soak, "Cel"),
            "duration": measured(2.0, "h"),
            "fault_current": measured(plant.motor["fault_current_A"], "A"),
        },
    }
    return _test(plant, "thermal_degradation_measured", motor, bench, tested, data)


def _endurance(plant: Plant, motor: Motor, bench: str, tested: datetime, rng: np.random.Generator) -> Event:
    """A bond life drawn by Weibull for each lot in the rotor; the first to let go decides."""
    lives = []
    for lot, pieces in motor.shares:
        scale = (lot.fault.bond_life_h if lot.fault else None) or plant.bond_life_h
        share = pieces / PIECES
        lives.append(scale * (-math.log(1.0 - rng.random()) / share) ** (1.0 / plant.bond_shape))
    data = _base(plant, motor, bench, tested + timedelta(hours=plant.endurance_hours), "random")
    data["magnet_temperature"] = {"how": "embedded_sensor", "value": measured(90.0, "Cel", 2.0)}
    when = datetime.fromisoformat(data["tested_at"])
    if min(lives) < plant.endurance_hours:
        data |= {
            "mode": "FM-MAG-DET",
            "life": measured(min(lives), "h", None, 1),
            "mechanism_evidence": "Magnet found loose on the rotor; adhesive failure surface.",
            "confidence": "confirmed",
        }
        return _test(plant, "failure_observed", motor, bench, when, data)
    data["life"] = measured(plant.endurance_hours, "h")
    return _test(plant, "survival_observed", motor, bench, when, data)
