"""The evidence record of a proposal: every lot with its numbers, the statistics with method, and the events used."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from events.facts.base import EventRef
from events.refs import parse_ref
from events.rules.policies import Policy
from events.rules.proposals import Evidence, LotEvidence
from projections.inference.chain.properties import ancestors, counting_parents
from projections.inference.conclusions import Conclusions, LotVerdict, Property
from projections.inference.state import EventId, RequirementState

MOST_EVENTS = 2000
"""At most this many events are named in one record; the position lets the rest be recomputed."""


def evidence(state: RequirementState, found: Conclusions, policy: Policy) -> Evidence:
    """What the conclusions were computed from, recomputable from the log up to the state's position."""
    key = found.cause.characteristic if found.cause else None
    lots = tuple(_lot(item, state, found.known, key) for item in found.verdicts)
    events = _events(state, found)
    notes = [*found.notes]
    if len(events) > MOST_EVENTS:
        notes.append(f"{len(events)} events were used; the first {MOST_EVENTS} are named here.")
    return Evidence(
        position=state.position,
        method=policy.method,
        policy=policy.policy,
        policy_version=state.policy_version,
        metric=found.model.metric,
        unit=found.model.unit,
        motors=found.model.motors,
        lots=len(found.verdicts),
        results=found.model.results,
        benches=found.model.benches,
        synthetic=synthetic(state),
        lot_effects=lots,
        statistics=_statistics(found, policy),
        notes=tuple(dict.fromkeys(notes)),
        events=tuple(EventRef(source=event.source, id=event.id) for event in events[:MOST_EVENTS]),
    )  # fmt: skip


def _statistics(found: Conclusions, policy: Policy) -> dict[str, Any]:
    """Every number behind the conclusions, with its method, as plain JSON."""
    told: dict[str, Any] = plain({
        "model": {**found.model.numbers, "scatter": found.model.scatter, "shared_u": found.model.shared_u},
        "verdict": {
            "probability": policy.verdict_probability,
            "minimum_motors_per_lot": policy.minimum_motors_per_lot,
            "corrected_for_repeated_looks": False,
        },
        **found.numbers,
        "limits": [
            {"characteristic": limit.characteristic, "side": limit.side, "value": limit.value, "u": limit.u,
             "unit": limit.unit, "statistic": limit.statistic, "temperature_Cel": limit.temperature_Cel}
            for limit in found.limits
        ],
        "contrasts": [
            {"characteristic": c.characteristic, "lot": c.lot, "value": c.value, "u": c.u, "others_mean": c.mean,
             "others_sd": c.scatter, "others": c.others, "sigmas": c.sigmas}
            for c in (found.cause.contrasts if found.cause else ())
        ],
    })  # fmt: skip
    return told


def synthetic(state: RequirementState) -> bool:
    """Something that the conclusions rest on is generated data."""
    return state.motor_type.origin == "synthetic" or any(lot.origin == "synthetic" for lot in state.plant.lots.values())


def _lot(
    item: LotVerdict, state: RequirementState, known: Mapping[str, Mapping[str, Property]], key: str | None
) -> LotEvidence:
    lot = state.plant.lots.get(item.lot)
    value = known.get(item.lot, {}).get(key) if key else None
    effect = item.effect
    reason = " ".join(text for text in (item.reason or effect.reason, effect.test_to_settle) if text)
    return LotEvidence(
        lot=parse_ref(item.lot),
        supplier=parse_ref(lot.supplier) if lot else None,
        motors=math.ceil(effect.motors - 1e-9),
        results=effect.results,
        estimate=effect.estimate,
        u=effect.u,
        shrunken=effect.shrunken,
        verdict=_verdict(item.verdict),
        probability=item.probability,
        characteristic_value=value.value if value else None,
        characteristic_u=value.u if value else None,
        certificates=tuple(EventRef(source=event.source, id=event.id) for event in (value.events if value else ())),
        synthetic=bool(lot and lot.origin == "synthetic"),
        reason=reason or None,
    )


def _verdict(name: str) -> Literal["conforms", "does_not_conform", "not_shown", "not_identifiable"]:
    names: dict[str, Literal["conforms", "does_not_conform", "not_shown", "not_identifiable"]] = {
        "conforms": "conforms", "does_not_conform": "does_not_conform", "not_shown": "not_shown",
    }  # fmt: skip
    return names.get(name, "not_identifiable")


def _events(state: RequirementState, found: Conclusions) -> list[EventId]:
    """Requirement, motor type, source changes, the judged lots and what bad ones came from, certificates, results."""
    keys = {limit.characteristic for limit in found.limits}
    keys |= {item.characteristic for item in (found.cause.contrasts if found.cause else ())}
    order: list[EventId | None] = [state.issued_by, state.motor_type.event]
    order += [event for one in found.sourcing for event in one.changes]
    parents = counting_parents(state.plant.links)
    behind = {name for lot in found.bad for name in ancestors(lot, parents)}
    order += [state.plant.lots[lot].event for lot in sorted({*found.known, *behind}) if lot in state.plant.lots]
    order += [
        event
        for lot in sorted(found.known)
        for key in sorted(found.known[lot])
        if key in keys
        for event in found.known[lot][key].events
    ]
    order += [event for lot in sorted(state.results) for event in state.results[lot]]
    return list(dict.fromkeys(event for event in order if event is not None))


def plain(value: Any) -> Any:
    """JSON of plain values; numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    number = float(value)
    return number if math.isfinite(number) else None
