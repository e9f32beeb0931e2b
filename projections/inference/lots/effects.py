"""The mixed model of one metric: every lot's effect at the reference, unshrunken with its error, and shrunken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from events.vocabulary.covariates import COVARIATES
from projections.inference.conclusions import LotEffect, LotModel, Refusal
from projections.inference.lots.contrasts import Solved, connected, solve
from projections.inference.lots.ranking import Shrunken, shrunken
from projections.inference.lots.select import Merged, Selected, merge, select
from projections.inference.state import RequirementState

MAGNET = COVARIATES["magnet_temperature"]
"""Tick and origin of the column "dT"."""
SAME_TEMPERATURE_K = 0.05
"""A covariate that spreads less than this has no effect to estimate."""
METHOD = "lots fixed for verdicts, lots random by REML for ranking; bench fixed; magnet temperature as covariate"


@dataclass(frozen=True, slots=True)
class Frame:
    """The columns of the model: lots and benches by name, and the reference that effects are stated at."""

    lots: tuple[str, ...]
    benches: tuple[str, ...]
    reference: dict[str, float]
    covariate: bool
    islands: tuple[frozenset[str], ...]


def lot_model(state: RequirementState, requirement: Requirement, policy: Policy) -> LotModel:
    """Effects of all lots of one metric, or a named refusal where the results are too few."""
    metric = characteristics.find(requirement.metric)
    chosen = select(requirement, state.groups)
    merged = merge(chosen.groups, metric.tick, MAGNET.tick) if chosen.groups else None
    refusal = _too_few(merged, policy)
    if merged is None or refusal:
        return _empty(requirement.metric, metric.unit, chosen, merged, refusal)
    frame = _frame(merged, requirement, MAGNET.origin)
    columns = [*frame.lots, *frame.benches, *(["dT"] if frame.covariate else [])]
    asked = [{lot: 1.0, **frame.reference} for lot in frame.lots]
    solved = solve(merged, columns, asked)
    ranked = shrunken(merged, frame.lots, frame.benches, frame.covariate)
    effects = tuple(
        _effect(number, lot, merged, frame, solved, ranked, metric.origin) for number, lot in enumerate(frame.lots)
    )
    return LotModel(
        requirement.metric,
        metric.unit,
        effects,
        scatter(solved, merged),
        solved.dof,
        merged.motors,
        merged.results,
        len(frame.benches),
        _numbers(merged, frame, solved, ranked, metric.origin),
        (*chosen.notes, *_notes(frame, ranked)),
        shared_u=_shared(solved),
    )


def scatter(solved: Solved, merged: Merged) -> float:
    """Standard deviation of motors' true values within a lot: repeatability is taken out where retests show it."""
    variance = solved.variance
    if merged.repeat_variance is not None:
        repeats = merged.results / merged.motors
        variance = max(variance - merged.repeat_variance / repeats, 0.25 * variance)
    return math.sqrt(variance)


def _shared(solved: Solved) -> float:
    """The error common to all estimable lots: the mean covariance between two of them."""
    place = [number for number, flag in enumerate(solved.estimable) if flag]
    if len(place) < 2:
        return 0.0
    block = solved.covariance[place][:, place]
    between = (float(block.sum()) - float(block.trace())) / (len(place) * (len(place) - 1))
    return math.sqrt(max(between, 0.0))


def _too_few(merged: Merged | None, policy: Policy) -> Refusal | None:
    if merged is None:
        return Refusal(
            "no_results", "No result lies within the requirement's reference condition.", "Test motors there."
        )
    lots = sum(name.startswith("lot:") for name in merged.names)
    if merged.motors < policy.minimum_motors or lots < policy.minimum_lots:
        return Refusal(
            "too_few",
            f"{merged.motors} motors of {lots} lots were tested; the policy asks for at least "
            f"{policy.minimum_motors} motors of {policy.minimum_lots} lots before a lot is judged.",
            "More motors of more lots at the reference condition.",
        )
    return None


def _empty(metric: str, unit: str, chosen: Selected, merged: Merged | None, refusal: Refusal | None) -> LotModel:
    motors, results = (merged.motors, merged.results) if merged else (0, 0)
    return LotModel(metric, unit, (), None, 0.0, motors, results, 0, {}, chosen.notes, refusal)


def _frame(merged: Merged, requirement: Requirement, origin_Cel: float) -> Frame:
    lots = tuple(name for name in merged.names if name.startswith("lot:"))
    benches = tuple(name for name in merged.names if name.startswith("bench:"))
    islands = connected(merged, lots, benches)
    named = {f"bench:{bench}" for bench in requirement.reference.benches}
    at = [name for name in benches if name in named] or [name for name in benches if name in islands[0]]
    reference = {name: 1.0 / len(at) for name in at}
    covariate = _spread_K(merged) > SAME_TEMPERATURE_K
    if covariate:
        reference["dT"] = _reference_K(merged, requirement, origin_Cel)
    return Frame(lots, benches, reference, covariate, islands)


def _spread_K(merged: Merged) -> float:
    if "dT" not in merged.names:
        return 0.0
    one, own = merged.names.index("1"), merged.names.index("dT")
    mean = merged.matrix[own, one] / merged.motors
    return math.sqrt(max(merged.matrix[own, own] / merged.motors - mean * mean, 0.0))


def _reference_K(merged: Merged, requirement: Requirement, origin_Cel: float) -> float:
    """The covariate at the reference: the stated magnet temperature, 20 °C for quantities so defined, else the mean."""
    stated = requirement.reference.magnet_temperature
    if stated is not None:
        return stated.to("Cel") - origin_Cel
    if requirement.metric.endswith("20"):
        return 20.0 - origin_Cel
    return float(merged.matrix[merged.names.index("dT"), merged.names.index("1")]) / merged.motors


def _effect(
    number: int, lot: str, merged: Merged, frame: Frame, solved: Solved, ranked: Shrunken, origin: float
) -> LotEffect:
    index = {name: place for place, name in enumerate(merged.names)}
    motors = float(merged.matrix[index[lot], index["1"]])
    results = round(motors * merged.results / merged.motors)
    name = lot.partition(":")[2]
    blup, pev = ranked.effects.get(lot, (None, None))
    if not solved.estimable[number]:
        reason, settle = _unidentified(lot, merged, frame)
        return LotEffect(name, motors, results, None, None, blup, pev, reason, settle)
    estimate = float(solved.estimates[number]) + origin
    return LotEffect(name, motors, results, estimate, math.sqrt(float(solved.covariance[number, number])), blup, pev)


def _unidentified(lot: str, merged: Merged, frame: Frame) -> tuple[str, str]:
    """Why a lot cannot be told apart, and the test that would settle it (statistics.md g.5)."""
    index = {name: place for place, name in enumerate(merged.names)}
    seen = [bench for bench in frame.benches if merged.matrix[index[lot], index[bench]] > 0]
    others = [bench for bench in frame.reference if bench.startswith("bench:") and bench not in seen]
    own = ", ".join(bench.partition(":")[2] for bench in seen)
    if not others or lot in frame.islands[0]:
        return (
            f"Its motors ran on {own} only at conditions that no other lot shares, so lot and condition are one.",
            "Test three of its motors, and three of another lot, at the same magnet temperature on the same bench.",
        )
    there = others[0].partition(":")[2]
    return (
        f"Its motors ran only on bench {own}, which connects to no lot on the reference benches: the lot and the bench "
        "cannot be told apart.",
        f"Test three of its motors on bench {there}, or three motors of other lots on bench {own}.",
    )


def _notes(frame: Frame, ranked: Shrunken) -> Sequence[str]:
    notes = ["Not corrected for repeated looks: the probability is that of this one look."]
    if len(frame.islands) > 1:
        notes.append(f"Lots and benches fall into {len(frame.islands)} groups that share no result.")
    return (*notes, *ranked.notes)


def _numbers(merged: Merged, frame: Frame, solved: Solved, ranked: Shrunken, origin: float) -> dict[str, object]:
    return {
        "method": METHOD,
        "residual_variance": solved.variance,
        "degrees_of_freedom": solved.dof,
        "condition_number": solved.condition,
        "repeat_variance": merged.repeat_variance,
        "origin": origin,
        "reference": dict(sorted(frame.reference.items())),
        "lot_variance_reml": ranked.lot_variance,
        "residual_variance_reml": ranked.residual_variance,
        "columns": list(merged.names),
    }
