"""Certificates against the revision effective for their lot: conform, nonconform or inconclusive (JCGM 106)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from events.facts.base import EventRef
from events.refs import parse_ref, ref_text
from events.rules.assessments import LotAssessed
from events.rules.policies import Policy
from events.rules.specs import Limit, Spec
from events.vocabulary import characteristics
from events.vocabulary.quantities import Measured, Range
from events.vocabulary.units import convert
from projections.inference.chain.properties import TEMPERATURE_STEP_K, REFERENCE_Cel, counting_parents
from projections.inference.state import Lot, Measurement, Plant, SpecInForce
from projections.inference.told.revisions import GUARD

Result = Literal["conform", "nonconform", "inconclusive"]
BOUNDS = {"lot_mean": ("lot_mean", "standard_deviation"), "each_piece": ("minimum",), "minimum_of_n": ("minimum",)}
"""Which reported statistic answers a limit on which statistic."""


def assess_lots(
    plant: Plant, revisions: Sequence[SpecInForce], lots: Iterable[str], policy: Policy
) -> tuple[LotAssessed, ...]:
    """Every measurement of these lots that a limit effective for the lot bounds, each with its result.

    `revisions` are all revisions of the specifications: the one effective when the lot was made binds it, a later
    one never does in retrospect. Alloy and powder lots answer to the items of the magnets made from them.
    """
    items = _items(plant)
    wanted = sorted(set(lots))
    by_lot: dict[str, list[Measurement]] = {}
    for measurement in plant.measurements:
        by_lot.setdefault(measurement.lot, []).append(measurement)
    found: list[LotAssessed] = []
    for name in wanted:
        lot = plant.lots.get(name)
        if lot is None:
            continue
        for spec in effective(revisions, lot, items.get(name, frozenset()), plant.lots):
            text = Spec.model_validate({key: value for key, value in spec.data.items() if key in Spec.model_fields})
            for limit in text.limits:
                for measurement in by_lot.get(name, ()):
                    one = _assess(lot, text, limit, measurement, policy)
                    if one is not None:
                        found.append(one)
    return tuple(found)


def effective(
    revisions: Sequence[SpecInForce], lot: Lot, items: frozenset[str], lots: Mapping[str, Lot]
) -> tuple[SpecInForce, ...]:
    """The revision of each specification that binds this lot: the newest that was effective when it was made."""
    chosen: dict[str, SpecInForce] = {}
    for one in revisions:
        if one.item not in items or (one.suppliers and lot.supplier not in one.suppliers):
            continue
        if not _binds(one, lot, lots):
            continue
        before = chosen.get(one.spec)
        if before is None or one.revision > before.revision:
            chosen[one.spec] = one
    return tuple(chosen[name] for name in sorted(chosen))


def _binds(one: SpecInForce, lot: Lot, lots: Mapping[str, Lot]) -> bool:
    effectivity = one.data["effectivity"]
    first = effectivity.get("first_lot")
    if first is not None:
        begun = lots.get(ref_text(first))
        if begun is not None:
            return lot.supplier == begun.supplier and lot.produced_at >= begun.produced_at
    return lot.produced_at[:10] >= str(effectivity["date"])[:10]


def _items(plant: Plant) -> dict[str, frozenset[str]]:
    """The magnet items that each lot is or becomes, over counting links."""
    parents = counting_parents(plant.links)
    found: dict[str, set[str]] = {}
    for lot in plant.lots.values():
        if lot.item is None:
            continue
        waiting, seen = [lot.lot], {lot.lot}
        while waiting:
            name = waiting.pop()
            found.setdefault(name, set()).add(lot.item)
            for parent, _ in parents.get(name, ()):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
    return {name: frozenset(items) for name, items in found.items()}


def _assess(lot: Lot, spec: Spec, limit: Limit, measurement: Measurement, policy: Policy) -> LotAssessed | None:
    if measurement.characteristic != limit.characteristic or measurement.event is None:
        return None
    if measurement.statistic not in BOUNDS[limit.statistic] or not _same_temperature(limit, measurement):
        return None
    unit = characteristics.find(limit.characteristic).unit
    bounds = Range(
        lower=_in(limit.limits.lower, limit.limits.unit, unit),
        target=_in(limit.limits.target, limit.limits.unit, unit),
        upper=_in(limit.limits.upper, limit.limits.unit, unit), unit=unit,
    )  # fmt: skip
    u = measurement.u if measurement.u else policy.certificate_uncertainty_relative * abs(measurement.value)
    band = GUARD[limit.decision_rule] * u
    result, reason = _result(measurement.value, bounds, band, unit)
    if not measurement.u:
        reason += f" No uncertainty was stated: {policy.certificate_uncertainty_relative:.2%} of the value by policy."
    return LotAssessed(
        lot=parse_ref(lot.lot),
        spec=spec.spec,
        revision=spec.revision,
        characteristic=limit.characteristic,
        statistic=limit.statistic,
        certificate=EventRef(source=measurement.event.source, id=measurement.event.id),
        value=Measured(value=measurement.value, unit=unit, u=u),
        limits=bounds,
        acceptance=_accepted(bounds, band, unit),
        rule=limit.decision_rule,
        result=result,
        reason=reason,
    )


def _in(value: float | None, unit: str, canonical: str) -> float | None:
    return None if value is None else convert(value, unit, canonical)


def _same_temperature(limit: Limit, measurement: Measurement) -> bool:
    wanted = limit.temperature.to("Cel") if limit.temperature else REFERENCE_Cel
    seen = REFERENCE_Cel if measurement.temperature_Cel is None else measurement.temperature_Cel
    return abs(wanted - seen) <= TEMPERATURE_STEP_K


def _accepted(bounds: Range, band: float, unit: str) -> Range | None:
    lower = None if bounds.lower is None else bounds.lower + band
    upper = None if bounds.upper is None else bounds.upper - band
    if lower is not None and upper is not None and lower > upper:
        return None  # the uncertainty is wider than the limits: nothing can be accepted
    return Range(lower=lower, upper=upper, unit=unit) if lower is not None or upper is not None else None


def _result(value: float, bounds: Range, band: float, unit: str) -> tuple[Result, str]:
    """Beyond a limit by more than the guard band: nonconform; inside by it: conform; between: inconclusive."""
    rooms = []
    if bounds.lower is not None:
        rooms.append((value - bounds.lower, f"at least {bounds.lower:.6g} {unit}"))
    if bounds.upper is not None:
        rooms.append((bounds.upper - value, f"at most {bounds.upper:.6g} {unit}"))
    if not rooms:
        return "conform", "The characteristic has a target and no limit."
    room, words = min(rooms)
    if room >= band:
        return "conform", f"{value:.6g} {unit} keeps {words} with a guard band of {band:.3g} {unit}."
    if room < -band or (band == 0.0 and room < 0.0):
        return "nonconform", f"{value:.6g} {unit} breaks {words} by more than the guard band of {band:.3g} {unit}."
    return "inconclusive", f"{value:.6g} {unit} lies within the guard band of {band:.3g} {unit} around {words}."
