"""A verdict for each lot: is the share of its conforming motors below what the requirement asks?"""

import math
from collections.abc import Sequence

from scipy import stats

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from events.vocabulary.units import convert
from projections.inference.conclusions import LotEffect, LotModel, LotVerdict, Verdict

SIDES = {"lower": 1.0, "upper": -1.0}


def requirement_limit(requirement: Requirement) -> tuple[float, float]:
    """The limit in the metric's canonical unit, and +1 when it is a lower limit, −1 when an upper one."""
    unit = characteristics.find(requirement.metric).unit
    limits = requirement.limits
    value, sign = (limits.lower, 1.0) if limits.lower is not None else (limits.upper, -1.0)
    if value is None:  # Requirement refuses this; the type does not know
        return math.nan, sign
    return convert(value, limits.unit, unit), sign


def share_conforming(estimate: float, scatter: float, limit: float, sign: float) -> float:
    """Φ(sign·(m − L)/s): the share of a lot's motors whose true value meets the limit."""
    return float(stats.norm.cdf(sign * (estimate - limit) / max(scatter, 1e-300)))


def verdicts(model: LotModel, requirement: Requirement, policy: Policy) -> tuple[LotVerdict, ...]:
    """P(conformance of the lot's motors < threshold) on the unshrunken effect (statistics.md a.3, e.2).

    Conformance falls below p where sign·(m − L) < z_p·s; the error of the estimated scatter, z_p²s²/(2ν), is added
    to the effect's, and Student's t takes the residual degrees of freedom.
    """
    if model.refusal or model.scatter is None:
        return ()
    limit, sign = requirement_limit(requirement)
    z = float(stats.norm.ppf(requirement.conformance))
    return tuple(_verdict(effect, model.scatter, model.dof, limit, sign, z, policy) for effect in model.effects)


def _verdict(
    effect: LotEffect, scatter: float, dof: float, limit: float, sign: float, z: float, policy: Policy
) -> LotVerdict:
    if effect.estimate is None or effect.u is None:
        return LotVerdict(effect.lot, "not_identifiable", None, effect, effect.reason)
    error = math.sqrt(effect.u**2 + z * z * scatter * scatter / (2.0 * max(dof, 1.0)))
    probability = float(stats.t.cdf((z * scatter - sign * (effect.estimate - limit)) / max(error, 1e-300), dof))
    if effect.motors < policy.minimum_motors_per_lot:
        reason = (
            f"Only {effect.motors:.1f} motors' worth of its magnets were tested; the policy asks for "
            f"{policy.minimum_motors_per_lot}."
        )
        return LotVerdict(effect.lot, "not_shown", probability, effect, reason)
    return LotVerdict(effect.lot, decide(probability, policy), probability, effect)


def decide(probability_below: float, policy: Policy) -> Verdict:
    """The policy's thresholds on P(conformance below the requirement)."""
    if probability_below >= policy.verdict_probability:
        return "does_not_conform"
    if probability_below <= 1.0 - policy.verdict_probability:
        return "conforms"
    return "not_shown"


def of(verdict: Verdict, found: Sequence[LotVerdict]) -> tuple[LotVerdict, ...]:
    """Those with this verdict."""
    return tuple(item for item in found if item.verdict == verdict)
