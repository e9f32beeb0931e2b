"""What is known of each magnet lot: its own measurements, and those of the alloy and powder that it was made from."""

import math
from collections.abc import Iterable, Mapping

from projections.inference.conclusions import Property
from projections.inference.state import Link, Measurement, Plant

REFERENCE_Cel = 20.0
TEMPERATURE_STEP_K = 2.0
POINT_STATISTICS = ("lot_mean", "standard_deviation")
INHERITED = ("alloy.", "process.")
COVERAGE = 0.5
"""A mean over parents counts when parents of at least this share of the mass were measured."""


Properties = Mapping[str, Mapping[str, Property]]
"""By magnet lot, then by characteristic."""


def properties(plant: Plant, lots: Iterable[str], relative_u: float) -> dict[str, dict[str, Property]]:
    """The properties of these magnet lots. `relative_u` stands in where a certificate states no uncertainty.

    Several measurements of one lot are averaged by 1/u². Alloy and process values of parents are averaged by mass
    fraction along the links that count (domain.md F.2); a lot's own values take precedence.
    """
    own = _own(plant.measurements, relative_u)
    parents = counting_parents(plant.links, composition=True)
    known: dict[str, dict[str, Property]] = {}
    return {lot: _all_of(lot, own, parents, known, frozenset()) for lot in lots}


def counting_parents(links: Iterable[Link], *, composition: bool = False) -> dict[str, tuple[tuple[str, float], ...]]:
    """The parents of each lot with their fractions, over links that count (for composition, or for everything)."""
    found: dict[str, list[tuple[str, float]]] = {}
    for link in links:
        if link.composition if composition else link.counts:
            found.setdefault(link.child, []).append((link.parent, link.fraction))
    return {child: tuple(sorted(parents)) for child, parents in found.items()}


def ancestors(lot: str, parents: Mapping[str, tuple[tuple[str, float], ...]]) -> set[str]:
    """The lot and all lots that it was made from, over counting links."""
    seen, waiting = {lot}, [lot]
    while waiting:
        for parent, _ in parents.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def at_temperature(
    measurements: Iterable[Measurement], lot: str, characteristic: str, temperature_Cel: float, relative_u: float
) -> Property | None:
    """The lot's own measurement of the characteristic at this temperature (± 2 K), or None."""
    near = [
        item
        for item in measurements
        if item.lot == lot and item.characteristic == characteristic and item.statistic in POINT_STATISTICS
        and item.temperature_Cel is not None and abs(item.temperature_Cel - temperature_Cel) <= TEMPERATURE_STEP_K
    ]  # fmt: skip
    return _mean(near, relative_u) if near else None


def _own(measurements: Iterable[Measurement], relative_u: float) -> dict[str, dict[str, Property]]:
    gathered: dict[str, dict[str, list[Measurement]]] = {}
    for item in measurements:
        hot = item.temperature_Cel is not None and abs(item.temperature_Cel - REFERENCE_Cel) > TEMPERATURE_STEP_K
        if item.statistic not in POINT_STATISTICS or (hot and item.characteristic.startswith("magnet.")):
            continue
        gathered.setdefault(item.lot, {}).setdefault(item.characteristic, []).append(item)
    return {lot: {key: _mean(items, relative_u) for key, items in by.items()} for lot, by in gathered.items()}


def _mean(items: list[Measurement], relative_u: float) -> Property:
    """Weighted by 1/u²; readings without a stated or usable uncertainty get the relative one of the policy."""
    stated = [item.u if item.u else max(relative_u * abs(item.value), 1e-12) for item in items]
    weights = [1.0 / (u * u) for u in stated]
    total = sum(weights)
    value = sum(weight * item.value for weight, item in zip(weights, items, strict=True)) / total
    events = tuple(sorted({item.event for item in items if item.event}, key=lambda event: (event.source, event.id)))
    return Property(value, 1.0 / math.sqrt(total), events, len(items))


def _all_of(
    lot: str,
    own: Mapping[str, dict[str, Property]],
    parents: Mapping[str, tuple[tuple[str, float], ...]],
    known: dict[str, dict[str, Property]],
    path: frozenset[str],
) -> dict[str, Property]:
    if lot in known:
        return known[lot]
    if lot in path:  # a cycle that the genealogy still counts would be a defect there; never recurse for ever
        return {}
    below = path | {lot}
    above = [(share, _all_of(parent, own, parents, known, below)) for parent, share in parents.get(lot, ())]
    found = {
        key: mixed
        for key in sorted({key for _, values in above for key in values if key.startswith(INHERITED)})
        if (mixed := _mixed([(share, values[key]) for share, values in above if key in values])) is not None
    }
    found.update(own.get(lot, {}))
    known[lot] = found
    return found


def _mixed(parts: list[tuple[float, Property]]) -> Property | None:
    total = sum(share for share, _ in parts)
    if total < COVERAGE:
        return None
    value = sum(share * item.value for share, item in parts) / total
    u = math.sqrt(sum((share * item.u) ** 2 for share, item in parts)) / total
    events = tuple(sorted({e for _, item in parts for e in item.events}, key=lambda event: (event.source, event.id)))
    return Property(value, u, events, sum(item.n for _, item in parts))
