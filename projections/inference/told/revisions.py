"""Proposed revisions: concluded limits against the specifications in force; only what tightens is proposed."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from events.refs import Ref, parse_ref
from events.rules.policies import Policy
from events.rules.proposals import Acceptance, ProposedRevision
from events.rules.proposals import Step as ToldStep
from events.rules.specs import DecisionRule, Sourcing, SpecLevel, Statistic
from events.vocabulary import characteristics
from events.vocabulary.quantities import Measured, Range
from events.vocabulary.units import convert
from projections.inference.conclusions import Conclusions, Limit, Property, Sourced, Step
from projections.inference.state import RequirementState, SpecInForce

GUARD = {"shared_risk": 0.0, "guard_U": 2.0, "guard_0.82U": 1.645}
"""Guard band in standard uncertainties: U = 2u, and 95 % conformance probability (domain.md G.3)."""
SOURCE_KEY = "sourcing.source"


@dataclass(frozen=True, slots=True)
class Revised:
    """The revisions that change something, and why a concluded limit that changes nothing was left out."""

    revisions: tuple[ProposedRevision, ...]
    in_force: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The specifications in force for one magnet item."""

    item: str
    specs: tuple[SpecInForce, ...]


def book_of(state: RequirementState) -> Book:
    """The specifications of the motor type's magnet item."""
    return Book(state.motor_type.magnet_item or f"{state.motor_type.motor_type}-magnet", state.plant.specs)


def revise(state: RequirementState, found: Conclusions, policy: Policy) -> Revised:
    """Every concluded limit and sourcing rule beside what is in force."""
    book = book_of(state)
    made: list[ProposedRevision] = []
    in_force: list[str] = []
    missing: list[str] = []
    for limit in found.limits:
        spec = spec_for(book, limit.characteristic.partition(".")[0])
        old = _in_force(spec, limit.characteristic)
        if old is not None and not _tightens(limit, old[0], policy):
            in_force.append(f"{limit.characteristic}: the limit in force already is as tight.")
            continue
        new = _new_range(limit, old[0] if old else None)
        if new is None:
            missing.append(
                f"{limit.characteristic}: the new {limit.side} limit {limit.value:g} {limit.unit} leaves no room "
                "beside the limit in force on the other side; a person must decide which gives way."
            )
            continue
        made.append(_revision(book, limit, spec, old, new, _typical_u(limit, found.known, policy), policy))
        if limit.extrapolated:
            missing.append(
                f"{limit.characteristic}: the limit lies outside the recorded range; a person signs for that."
            )
    for sourced in found.sourcing:
        revision = sourcing_revision(book, sourced)
        if revision is not None:
            made.append(revision)
        else:
            in_force.append(f"The evidence required of {sourced.supplier} is required already.")
    return Revised(tuple(made), tuple(in_force), tuple(missing))


def spec_for(book: Book, level: str, supplier: str | None = None) -> SpecInForce | None:
    """The specification of this level for the magnet item and this scope (None: all suppliers)."""
    wanted = (supplier,) if supplier else ()
    found = [s for s in book.specs if s.level == level and s.item == book.item and s.suppliers == wanted]
    return min(found, key=lambda spec: spec.spec) if found else None


def _in_force(spec: SpecInForce | None, key: str) -> tuple[Range, Mapping[str, object]] | None:
    """The limits on this characteristic in its canonical unit, and the whole entry as stored."""
    unit = characteristics.find(key).unit
    for entry in (spec.data.get("limits") or ()) if spec else ():
        if entry["characteristic"] == key:
            limits = entry["limits"]
            values = {
                name: convert(float(limits[name]), limits["unit"], unit)
                for name in ("lower", "target", "upper")
                if limits.get(name) is not None
            }
            return Range(unit=unit, **values), entry
    return None


def _tightens(limit: Limit, old: Range, policy: Policy) -> bool:
    """By more than the policy's step: what is in force stays as long as it does the same."""
    before = old.lower if limit.side == "lower" else old.upper
    if before is None:
        return True
    gain = limit.value - before if limit.side == "lower" else before - limit.value
    return gain > policy.refresh_step_relative * abs(before)


def _new_range(limit: Limit, old: Range | None) -> Range | None:
    lower, upper = (old.lower, old.upper) if old else (None, None)
    lower, upper = (limit.value, upper) if limit.side == "lower" else (lower, limit.value)
    if lower is not None and upper is not None and lower >= upper:
        return None
    return Range(lower=lower, target=_target(limit, old, lower, upper), upper=upper, unit=limit.unit)


def _target(limit: Limit, old: Range | None, lower: float | None, upper: float | None) -> float | None:
    """The target in force where it keeps enough distance from the limit, else the concluded one, inside the limits."""
    kept = old.target if old else None
    if kept is not None and limit.target is not None:
        kept = max(kept, limit.target) if limit.side == "lower" else min(kept, limit.target)
    chosen = limit.target if kept is None else kept
    if chosen is None or (lower is not None and chosen < lower) or (upper is not None and chosen > upper):
        return None
    return chosen


def _typical_u(limit: Limit, known: Mapping[str, Mapping[str, Property]], policy: Policy) -> float:
    """The standard uncertainty of a certificate for this characteristic: the median of those at hand."""
    stated = [by[limit.characteristic].u for by in known.values() if limit.characteristic in by]
    return statistics.median(stated) if stated else policy.certificate_uncertainty_relative * abs(limit.value)


def acceptance(new: Range, u: float, rule: DecisionRule) -> Acceptance:
    """Limits for a measured value with this standard uncertainty: the true limits moved inwards by the guard band."""
    band = GUARD[rule] * u
    return Acceptance(
        lower=None if new.lower is None else _tidy(new.lower + band, new.lower, math.ceil),
        upper=None if new.upper is None else _tidy(new.upper - band, new.upper, math.floor),
        unit=new.unit,
        rule=rule,
        u=float(f"{u:.3g}"),
    )


def _tidy(value: float, like: float, towards: Callable[[float], int]) -> float:
    step = 10.0 ** (math.floor(math.log10(abs(like))) - 3) if like else 1e-3
    return float(f"{towards(value / step - 1e-9 if towards is math.ceil else value / step + 1e-9) * step:.12g}")


def _revision(
    book: Book,
    limit: Limit,
    spec: SpecInForce | None,
    old: tuple[Range, Mapping[str, object]] | None,
    new: Range,
    u: float,
    policy: Policy,
) -> ProposedRevision:
    entry = old[1] if old else {}
    rule = _rule(entry.get("decision_rule") or policy.guard_rule)
    level = _level(limit.characteristic.partition(".")[0])
    statistic: Statistic = "each_piece" if entry.get("statistic") == "each_piece" else "lot_mean"
    hot = limit.temperature_Cel
    return ProposedRevision(
        spec=_spec_ref(book, spec, level, None),
        level=level,
        item=parse_ref(book.item),
        suppliers=tuple(parse_ref(name) for name in (spec.suppliers if spec else ())),
        characteristic=limit.characteristic,
        statistic=statistic,
        temperature=None if hot is None else Measured(value=hot, unit="Cel"),
        old=old[0] if old else None,
        new=new,
        acceptance=acceptance(new, u, rule),
        derivation=(*told_steps(limit.steps), ToldStep(
            name="guard band to the acceptance limit", value=GUARD[rule] * u, u=None, unit=limit.unit,
            source=f"rule {rule}, median certificate uncertainty u = {u:.3g} {limit.unit} (JCGM 106)",
        )),
        priors=tuple(parse_ref(name) for name in limit.priors),
        extrapolated=limit.extrapolated,
        why=limit.why,
    )  # fmt: skip


def sourcing_revision(book: Book, found: Sourced) -> ProposedRevision | None:
    """The supplier's own sourcing specification with what is newly required or excluded; None: in force already."""
    spec = spec_for(book, "sourcing", found.supplier)
    now = Sourcing.model_validate((spec.data.get("sourcing") if spec else None) or {})
    new = Sourcing(
        permitted_sources=now.permitted_sources,
        excluded_sources=tuple(dict.fromkeys((*now.excluded_sources, *found.excluded))),
        custody_model=now.custody_model,
        required_evidence=tuple(dict.fromkeys((*now.required_evidence, *found.required))),
    )
    if new == now:
        return None
    return ProposedRevision(
        spec=_spec_ref(book, spec, "sourcing", found.supplier),
        level="sourcing",
        item=parse_ref(book.item),
        suppliers=(parse_ref(found.supplier),),
        characteristic=SOURCE_KEY,
        sourcing=new,
        derivation=told_steps(found.steps),
        why=found.why,
    )


def told_steps(steps: Sequence[Step]) -> tuple[ToldStep, ...]:
    """Steps as the event keeps them."""
    return tuple(ToldStep(name=s.name, value=s.value, u=s.u, unit=s.unit, source=s.source) for s in steps)


def _spec_ref(book: Book, spec: SpecInForce | None, level: str, supplier: str | None) -> Ref:
    if spec is not None:
        return parse_ref(spec.spec)
    item = parse_ref(book.item)
    name = f"{level}-{item.id}" + (f"-{parse_ref(supplier).id}" if supplier else "")
    return Ref(issuer=item.issuer, id=name)


def _level(name: str) -> SpecLevel:
    levels: dict[str, SpecLevel] = {"magnet": "magnet", "alloy": "alloy", "process": "process"}
    return levels.get(name, "process")


def _rule(name: object) -> DecisionRule:
    rules: dict[object, DecisionRule] = {
        "shared_risk": "shared_risk", "guard_U": "guard_U", "guard_0.82U": "guard_0.82U",
    }  # fmt: skip
    return rules.get(name, "guard_0.82U")
