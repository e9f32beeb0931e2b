"""conclude(state, policy) → conclusions: the narrow seam; later methods replace what is behind it."""

from dataclasses import replace

from scipy import stats

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from projections.inference.chain import design as design_says
from projections.inference.chain.causes import find_cause
from projections.inference.chain.limits import Answer, question
from projections.inference.chain.magnet import magnet_limit
from projections.inference.chain.propagate import Explanation, Propagated, propagate
from projections.inference.chain.properties import Properties, properties
from projections.inference.chain.sourcing import sourcing
from projections.inference.chain.window import window_limit
from projections.inference.conclusions import Cause, Conclusions, LotModel, LotVerdict, Refusal
from projections.inference.lots.effects import lot_model
from projections.inference.lots.select import select
from projections.inference.lots.survival import life_model
from projections.inference.lots.verdicts import verdicts
from projections.inference.state import RequirementState
from projections.mathematics.answers import NoAnswer

LIFE = "motor.life"


def conclude(state: RequirementState, policy: Policy) -> Conclusions:
    """What follows for one requirement from everything known at the state's position.

    Lots → verdicts → cause → limit on the magnet characteristic → limits on its parents → sourcing. Every question
    that the data cannot answer is a Refusal among the conclusions. Raises Invalid only for a stored requirement or
    design that its own model refuses.
    """
    requirement = Requirement.model_validate(_fields(state.data))
    try:
        return _conclude(state, requirement, policy)
    except NoAnswer as none:
        refusal = Refusal(none.code, none.detail)
        unit = characteristics.find(requirement.metric).unit
        model = LotModel(requirement.metric, unit, (), None, 0.0, 0, 0, 0, refusal=refusal)
        return Conclusions(state.requirement, model, refusals=(refusal,))


def _conclude(state: RequirementState, requirement: Requirement, policy: Policy) -> Conclusions:
    if requirement.metric == LIFE:
        model, found = life_model(state, requirement, policy)
    else:
        model = lot_model(state, requirement, policy)
        found = verdicts(model, requirement, policy)
    base = Conclusions(state.requirement, model, found, notes=model.notes)
    if model.refusal:
        return replace(base, refusals=(model.refusal,))
    if not base.bad:
        return base
    return _explain(base, state, requirement, policy)


def _fields(data: object) -> dict[str, object]:
    return {key: value for key, value in dict(data).items() if key in Requirement.model_fields}  # type: ignore[call-overload]


def _explain(base: Conclusions, state: RequirementState, requirement: Requirement, policy: Policy) -> Conclusions:
    judged = [item.lot for item in base.verdicts]
    good = [lot for lot in judged if lot not in base.bad]
    known = properties(state.plant, judged, policy.certificate_uncertainty_relative)
    cause = find_cause(requirement, base.bad, good, known, policy)
    cause = _checked(cause, policy)
    answer = _magnet(cause, base.model, base.verdicts, known, state, requirement, policy)
    below = Propagated((), (), (), ())
    if answer.limit is not None:
        below = propagate(
            answer.limit, cause.explained, good, known, state.plant.edges, requirement.confidence, policy
        )  # fmt: skip
    source = sourcing(base.bad, good, state.plant, cause, policy)
    limits = (*((answer.limit,) if answer.limit else ()), *below.limits)
    refusals = [item for item in (cause.refusal, answer.refusal, *below.refusals) if item]
    return replace(
        base,
        cause=cause,
        limits=limits,
        sourcing=source,
        refusals=tuple(refusals),
        known=known,
        numbers={"inversion": answer.numbers or {}, "explained": [_told(item) for item in below.explanations]},
        notes=(*base.notes, *cause.notes, *answer.notes, *below.notes),
    )


def _checked(cause: Cause, policy: Policy) -> Cause:
    """A design cause counts for a lot only where its certificates show the difference; else they contradict it."""
    if cause.basis != "design":
        return cause
    needed = float(stats.norm.ppf(policy.verdict_probability))
    shown = tuple(item.lot for item in cause.contrasts if item.sigmas >= needed)
    left = tuple(lot for lot in cause.explained if lot not in shown)
    if not left:
        return cause
    measured = {item.lot for item in cause.contrasts}
    sentences = [
        f"{lot}: its certificate shows a normal {cause.characteristic}, its motors do not."
        if lot in measured
        else f"{lot}: {cause.characteristic} is not certified."
        for lot in left
    ]
    refusal = Refusal(
        "certificate_contradicted" if measured & set(left) else "not_certified",
        " ".join(sentences),
        f"{cause.characteristic} of retained pieces, measured by another laboratory",
    )
    return replace(cause, explained=shown, unexplained=left, refusal=refusal)


def _magnet(
    cause: Cause,
    model: LotModel,
    found: tuple[LotVerdict, ...],
    known: Properties,
    state: RequirementState,
    requirement: Requirement,
    policy: Policy,
) -> Answer:
    if cause.characteristic is None or not cause.explained:
        return Answer(None)
    if requirement.metric == LIFE:
        return window_limit(requirement, cause, policy)
    asked = question(requirement, model, found)
    answer = magnet_limit(
        requirement, cause.characteristic, model, found, known, state.plant, design_says.of(state.motor_type.design),
        asked, _exposure(state, requirement), policy,
    )  # fmt: skip
    if answer.limit is None and answer.refusal and answer.refusal.code in UNKNOWN_SLOPE and cause.basis == "contrast":
        return replace(window_limit(requirement, cause, policy), refusal=answer.refusal, numbers=answer.numbers)
    return answer


UNKNOWN_SLOPE = frozenset({"slope_not_shown"})


def _exposure(state: RequirementState, requirement: Requirement) -> tuple[float | None, float | None]:
    """Soak temperature and fault current of the results that were used."""
    for group in select(requirement, state.groups).groups:
        return group.condition.get("soak_Cel"), group.condition.get("fault_A")
    return None, None


def _told(item: Explanation) -> dict[str, object]:
    return {
        "lot": item.lot,
        "deviation": item.deviation,
        "u": item.u,
        "remainder": item.remainder,
        "remainder_u": item.remainder_u,
        "parts": [
            {
                "parent": part.parent, "nominal": part.nominal, "value": part.value, "sd": part.sd,
                "sigmas": part.sigmas, "slope": part.slope.value, "slope_u": part.slope.sigma,
                "prior": part.slope.prior, "prior_u": part.slope.prior_sigma,
                "contribution": part.contribution, "u": part.u,
            }
            for part in item.parts
        ],
    }  # fmt: skip
