"""From mine to magnet: the lots of the simulated plant, their process records and certificates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from examples.simulated.events import Event, event, reading, ref
from examples.simulated.plant import Fault, Plant, Supplier
from examples.simulated.response import magnet_values

UNIT = {
    "alloy.Dy": "%", "alloy.TRE": "%", "alloy.O": "[ppm]",
    "process.Tb_gain": "%", "process.D50": "um", "process.B_al": "T", "process.T_s": "Cel",
    "magnet.Br": "T", "magnet.HcJ": "kA/m", "magnet.SQ": "1", "magnet.rho_m": "g/cm3",
    "magnet.sigma_B": "%", "magnet.sigma_m": "%", "magnet.adh": "MPa",
}  # fmt: skip
LOT_SD = {
    "alloy.Dy": 0.05, "alloy.TRE": 0.08, "alloy.O": 90.0,
    "process.Tb_gain": 0.02, "process.D50": 0.05, "process.B_al": 0.03, "process.T_s": 2.0,
    "magnet.Br": 0.004, "magnet.HcJ": 12.0, "magnet.SQ": 0.004, "magnet.rho_m": 0.01,
    "magnet.sigma_B": 0.06, "magnet.sigma_m": 0.04, "magnet.adh": 0.8,
}  # fmt: skip
STATED_U = {
    "alloy.Dy": 0.03, "alloy.TRE": 0.1, "alloy.O": 50.0,
    "process.Tb_gain": 0.01, "process.D50": 0.03, "process.B_al": 0.01, "process.T_s": 1.0,
    "magnet.Br": 0.004, "magnet.HcJ": 15.0, "magnet.SQ": 0.005, "magnet.rho_m": 0.01,
    "magnet.sigma_B": 0.05, "magnet.sigma_m": 0.04, "magnet.adh": 0.7,
}  # fmt: skip
STAGE = {"process.D50": "jet_mill", "process.B_al": "press", "process.T_s": "sinter",
         "process.Tb_gain": "grain_boundary_diffusion"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MagnetLot:
    """A magnet lot with its truth: what the generator knows and the service has to find out."""

    id: str
    supplier: Supplier
    values: dict[str, float]
    fault: Fault | None
    produced_at: datetime


def scatter(rng: np.random.Generator, nominal: dict[str, float], shift: dict[str, float]) -> dict[str, float]:
    return {key: value + shift.get(key, 0.0) + LOT_SD[key] * rng.standard_normal() for key, value in nominal.items()}


def materials(plant: Plant, rng: np.random.Generator) -> tuple[list[Event], list[MagnetLot]]:
    """All lot events in order of time, and the magnet lots with their truth."""
    events: list[Event] = []
    lots: list[MagnetLot] = []
    for index, supplier in enumerate(plant.suppliers):
        start = datetime.fromisoformat(plant.start) + timedelta(days=3 * index)
        chain = _upstream(plant, supplier, supplier.oxide, start)
        events += chain
        for number in range(1, plant.lots_per_supplier + 1):
            made, lot = _magnet_lot(plant, supplier, number, start + timedelta(days=20 + 9 * number), rng)
            events += made
            lots.append(lot)
    return events, lots


def _upstream(plant: Plant, supplier: Supplier, oxide: str, start: datetime) -> list[Event]:
    """Ore, concentrate, oxide and metal of one source; the supplier states them for its own chain."""
    names = [f"ORE-{oxide}", f"CON-{oxide}", f"OX-{oxide}", f"ME-{oxide}"]
    events = []
    for step, (level, name) in enumerate(zip(("ore", "concentrate", "oxide", "metal"), names, strict=True)):
        parent = [(names[step - 1], 1.0)] if step else []
        site = supplier.mine if step < 2 else supplier.site
        events.append(_lot(supplier, name, level, start + timedelta(days=3 * step), parent, site=site))
    return events


def _lot(
    supplier: Supplier,
    name: str,
    level: str,
    made: datetime,
    parents: list[tuple[str, float]],
    *,
    site: str | None = None,
    item: dict[str, str] | None = None,
    pieces: int | None = None,
) -> Event:
    custody = "identity_preserved" if level != "alloy" else "controlled_blending"
    data: dict[str, Any] = {
        "lot": ref(supplier.id, name),
        "level": level,
        "item": item,
        "supplier": ref(supplier.id, supplier.id),
        "site": site or supplier.site,
        "produced_at": made.isoformat(),
        "custody_model": custody,
        "inputs": [
            {"lot": ref(supplier.id, parent), "mass_fraction": share, "custody_model": custody}
            for parent, share in parents
        ],
    }
    if pieces:
        data["pieces"] = pieces
    return event("lots.lot_registered", f"/suppliers/{supplier.id}", f"lot-{name}", made, data)


def _magnet_lot(
    plant: Plant, supplier: Supplier, number: int, made: datetime, rng: np.random.Generator
) -> tuple[list[Event], MagnetLot]:
    name = plant.lot_pattern.format(supplier=supplier.id[:3].upper(), number=number)
    fault = plant.faults.get(name)
    shifts = fault or Fault()
    alloy = scatter(rng, dict(plant.nominal_alloy), dict(shifts.alloy))
    process = scatter(rng, dict(plant.nominal_process), dict(shifts.process))
    own = {key: LOT_SD[key] * rng.standard_normal() for key in plant.nominal_magnet}
    for key, shift in shifts.magnet.items():
        own[key] += shift
    values = magnet_values(plant, alloy, process, own)
    events = list(_lot_events(plant, supplier, name, made, shifts, rng, alloy, process, values))
    return events, MagnetLot(name, supplier, values, fault, made)


def _lot_events(
    plant: Plant,
    supplier: Supplier,
    name: str,
    made: datetime,
    fault: Fault,
    rng: np.random.Generator,
    alloy: dict[str, float],
    process: dict[str, float],
    magnet: dict[str, float],
) -> Iterator[Event]:
    oxide, source = supplier.oxide, f"/suppliers/{supplier.id}"
    heat, powder = f"AL-{name}", f"PW-{name}"
    metals = [(f"ME-{oxide}", 1.0)]
    if fault.new_oxide:
        oxide = fault.new_oxide
        yield _source_changed(plant, supplier, name, made - timedelta(days=16), oxide)
        yield from _upstream(plant, supplier, oxide, made - timedelta(days=15))
        metals = [(f"ME-{oxide}", 0.9), (f"ME-{supplier.oxide}", 0.1)]
    yield _lot(supplier, heat, "alloy", made - timedelta(days=2), metals)
    yield _certificate(supplier, heat, made - timedelta(days=1), alloy, rng)
    yield _lot(supplier, powder, "powder", made - timedelta(hours=20), [(heat, 1.0)])
    item = ref(plant.manufacturer, plant.item)
    yield _lot(supplier, name, "magnet", made, [(powder, 1.0)], item=item, pieces=480)
    for key, value in process.items():
        record = {
            "lot": ref(supplier.id, name),
            "stage": STAGE[key],
            "performed_at": (made - timedelta(hours=6)).isoformat(),
            "equipment": f"{supplier.site}-{STAGE[key]}-1",
            "parameters": [reading(key, value + STATED_U[key] * rng.standard_normal(), UNIT[key], STATED_U[key])],
        }
        yield event("lots.process_recorded", source, f"process-{name}-{STAGE[key]}", made, record)
    yield _certificate(supplier, name, made + timedelta(days=1), magnet, rng)


def _certificate(
    supplier: Supplier, name: str, time: datetime, values: dict[str, float], rng: np.random.Generator
) -> Event:
    spread = {"magnet.sigma_B", "magnet.sigma_m"}
    measurements = []
    for key, value in values.items():
        statistic = "standard_deviation" if key in spread else "lot_mean"
        noisy = max(value + STATED_U[key] * rng.standard_normal(), 0.0)
        measurements.append(reading(key, noisy, UNIT[key], STATED_U[key], statistic=statistic, n=20))
    data = {
        "lot": ref(supplier.id, name),
        "certificate": f"CERT-{name}",
        "laboratory": ref(supplier.id, supplier.id),
        "method": "IEC TR 62331 pulsed field magnetometry" if "magnet.HcJ" in values else "ICP-OES, LECO",
        "measurements": measurements,
    }
    return event("lots.lot_certified", f"/suppliers/{supplier.id}", f"certificate-{name}", time, data)


def _source_changed(plant: Plant, supplier: Supplier, lot: str, time: datetime, oxide: str) -> Event:
    data = {
        "supplier": ref(supplier.id, supplier.id),
        "change": f"CHANGE-{oxide}",
        "site": supplier.site,
        "level": "oxide",
        "kind": "source",
        "before": supplier.oxide,
        "after": oxide,
        "first_lot": ref(supplier.id, f"OX-{oxide}"),
        "item": ref(plant.manufacturer, plant.item),
        "reason": "Contract with the former separation plant ended.",
    }
    return event("sources.source_changed", f"/suppliers/{supplier.id}", f"change-{oxide}", time, data)
