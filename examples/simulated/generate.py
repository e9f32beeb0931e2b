"""All events of a simulated plant in order of time; the same plant and seed give the same bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from examples.simulated.events import Event, event, ref
from examples.simulated.materials import MagnetLot, materials
from examples.simulated.plant import Plant
from examples.simulated.results import Motor, motors, results


@dataclass(frozen=True, slots=True)
class Simulation:
    """The events, and the truth behind them (for tests: the service never sees it)."""

    events: tuple[Event, ...]
    lots: tuple[MagnetLot, ...]
    motors: tuple[Motor, ...]


def simulate(plant: Plant) -> Simulation:
    """Everything that happened in the plant; numpy's Philox generator, keyed by the plant's seed."""
    rng = np.random.Generator(np.random.Philox(plant.seed))
    made, lots = materials(plant, rng)
    built, fleet = motors(plant, lots, rng)
    events = [*masters(plant), *made, *built, *results(plant, fleet, rng)]
    return Simulation(tuple(sorted(events, key=lambda item: str(item["time"]))), tuple(lots), tuple(fleet))


def masters(plant: Plant) -> Iterator[Event]:
    """Parties, benches with their calibration, and the motor type."""
    start = datetime.fromisoformat(plant.start) - timedelta(days=30)
    source = f"/manufacturing/{plant.manufacturer}"
    parties = [(plant.manufacturer, plant.manufacturer.replace("-", " ").title(), "DE", "Works 1", "manufacturer")]
    parties += [(item.id, item.name, item.country, item.site, "supplier") for item in plant.suppliers]
    for name, title, country, site, kind in parties:
        data = {
            "party": ref(name, name),
            "name": title,
            "kinds": [kind],
            "sites": [{"site": site, "country": country}],
        }
        yield event("parties.party_registered", source, f"party-{name}", start, data)
    for bench in plant.benches:
        data = {
            "bench": ref(plant.manufacturer, bench),
            "party": ref(plant.manufacturer, plant.manufacturer),
            "name": f"Test bench {bench}",
        }
        yield event("benches.bench_registered", source, f"bench-{bench}", start, data)
        data = {
            "bench": ref(plant.manufacturer, bench),
            "calibration": f"CAL-{bench}-1",
            "instrument": "Torque flange and power analyser",
            "accuracy_class": "0.1",
            "valid_from": start.isoformat(),
            "valid_until": (start + timedelta(days=730)).isoformat(),
        }
        yield event("benches.calibration_recorded", source, f"calibration-{bench}", start, data)
    data = {
        "motor_type": ref(plant.manufacturer, plant.motor_type),
        "name": plant.motor_name,
        "magnet_item": ref(plant.manufacturer, plant.item),
        "design": dict(plant.design),
    }
    yield event("motors.motor_type_registered", source, f"type-{plant.motor_type}", start, data)
