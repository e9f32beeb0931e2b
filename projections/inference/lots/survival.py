"""Failures by lot: Weibull, right-censored, common shape; the share of motors that reach the required life."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from projections.inference.conclusions import LotEffect, LotModel, LotVerdict, Refusal
from projections.inference.lots.shape import Shape, common_shape
from projections.inference.lots.verdicts import decide, requirement_limit
from projections.inference.state import Life, RequirementState

JEFFREYS = 0.5
"""Failures added for a hazard that nothing is assumed about (Gamma(1/2, 0) prior)."""
METHOD = "Weibull, right-censored, common shape by maximum likelihood; hazard of each lot with a Jeffreys prior"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One lot's part: failures and Σ w·(t/L)^shape, each motor weighted by the lot's share of its pieces."""

    motors: float
    results: int
    failures: float
    exposure: float


def life_model(
    state: RequirementState, requirement: Requirement, policy: Policy
) -> tuple[LotModel, tuple[LotVerdict, ...]]:
    """The share of each lot's motors that reach the required life, and the verdict on it.

    A failure in a mode that the requirement does not name ends the exposure, like a survival (competing modes).
    With E = Σ w·(t/L)^β and r failures, the hazard to life L is Gamma(r + ½, E); survival below p means hazard
    above −ln p (statistics.md d).
    """
    life_h, _ = requirement_limit(requirement)
    modes = frozenset(requirement.failure_modes)
    lots = {lot for life in state.lives for lot in life.shares}
    motors = len({life.motor for life in state.lives})
    if motors < policy.minimum_motors or len(lots) < policy.minimum_lots:
        refusal = Refusal(
            "too_few",
            f"The lives of {motors} motors of {len(lots)} lots are known; the policy asks for at least "
            f"{policy.minimum_motors} motors of {policy.minimum_lots} lots before a lot is judged.",
            "More endurance results of motors of more lots.",
        )
        return LotModel("motor.life", "%", (), None, 0.0, motors, len(state.lives), 0, {}, (), refusal), ()
    shape = common_shape(state.lives, modes)
    exposures = _exposures(state.lives, modes, life_h, shape.value)
    found = tuple(_verdict(lot, exposures[lot], requirement, policy) for lot in sorted(exposures))
    failed = sum(1 for life in state.lives if counts(life, modes))
    model = LotModel(
        "motor.life",
        "%",
        tuple(item.effect for item in found),
        None,
        0.0,
        motors,
        len(state.lives),
        0,
        _numbers(exposures, shape, life_h, failed, modes),
        (f"Each lot's estimate is the share of its motors that reach {life_h:g} h.", *shape.notes),
    )
    return model, found


def counts(life: Life, modes: frozenset[str]) -> bool:
    """The motor failed in a mode that the requirement names (any mode where it names none)."""
    return life.mode is not None and (not modes or life.mode in modes)


def _exposures(lives: Sequence[Life], modes: frozenset[str], life_h: float, shape: float) -> dict[str, Exposure]:
    sums: dict[str, list[float]] = {}
    for life in lives:
        pieces = sum(life.shares.values())
        for lot, count in life.shares.items():
            share = count / pieces
            own = sums.setdefault(lot, [0.0, 0.0, 0.0, 0.0])
            own[0] += share
            own[1] += 1
            own[2] += share if counts(life, modes) else 0.0
            own[3] += share * (life.life_h / life_h) ** shape
    return {lot: Exposure(own[0], int(own[1]), own[2], own[3]) for lot, own in sums.items()}


def _verdict(lot: str, own: Exposure, requirement: Requirement, policy: Policy) -> LotVerdict:
    failures = own.failures + JEFFREYS
    hazard = stats.gamma(failures, scale=1.0 / own.exposure)
    survival = 100.0 * (1.0 + 1.0 / own.exposure) ** -failures  # E[exp(−λ)]
    second = 1e4 * (1.0 + 2.0 / own.exposure) ** -failures  # E[exp(−2λ)]
    u = math.sqrt(max(second - survival * survival, 0.0))
    probability = float(hazard.sf(-math.log(requirement.conformance)))
    effect = LotEffect(lot, own.motors, own.results, survival, u)
    if own.motors < policy.minimum_motors_per_lot:
        reason = f"Only {own.motors:.1f} motors' worth of its magnets ran; the policy asks for more."
        return LotVerdict(lot, "not_shown", probability, effect, reason)
    return LotVerdict(lot, decide(probability, policy), probability, effect)


def _numbers(
    exposures: Mapping[str, Exposure], shape: Shape, life_h: float, failed: int, modes: frozenset[str]
) -> dict[str, object]:
    return {
        "method": METHOD,
        "life_h": life_h,
        "modes": sorted(modes),
        "shape": shape.value,
        "shape_basis": shape.basis,
        "failures": failed,
        "lots": {
            lot: {"failures": own.failures, "exposure": own.exposure, "motors": own.motors}
            for lot, own in sorted(exposures.items())
        },
    }
