"""Intervals and tests of variance components: profile likelihood, and zero as a possible answer."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from projections.mathematics.answers import Array, NoAnswer, share
from projections.mathematics.mixed.model import MixedFit
from projections.mathematics.mixed.optimum import minimise

WIDEST = 1e6


@dataclass(frozen=True, slots=True)
class Interval:
    """A profile-likelihood interval of a standard deviation, unit of y; `low` is 0 where zero is not excluded."""

    low: float
    high: float
    level: float


def profile_interval(fitted: MixedFit, family: str, level: float = 0.95) -> Interval:
    """The sd of a family, or of the `residual`, by the profile of the criterion (statistics a.2), not by +-2 SE.

    Raises NoAnswer `did_not_converge` when no upper end exists below a million times the estimate.
    """
    edge = float(chi2.ppf(share("level", level), 1))
    best = fitted.criterion
    centre = math.sqrt(fitted.residual if family == "residual" else fitted.variances[family])
    unit = math.sqrt(fitted.residual)

    def above(sd: float) -> float:
        return held(fitted, family, sd) - best - edge

    start = max(centre, 1e-3 * unit)
    high = start
    while above(high) < 0:
        high *= 1.6
        if high > WIDEST * unit:
            raise NoAnswer("did_not_converge", f"The data put no upper end on the scatter of {family}.")
    upper = brentq(above, max(centre, 1e-12 * unit), high, xtol=1e-10 * unit)
    floor = 1e-6 * unit
    if family != "residual" and (centre <= floor or above(0.0) <= 0.0):
        return Interval(0.0, float(upper), level)
    low = start
    while above(low) < 0:
        low /= 1.6
        if low < floor:
            return Interval(0.0, float(upper), level)
    return Interval(float(brentq(above, low, centre, xtol=1e-10 * unit)), float(upper), level)


def held(fitted: MixedFit, family: str, sd: float) -> float:
    """The criterion with one standard deviation held and all the others at their best."""
    problem, method = fitted.problem, fitted.method
    names = tuple(problem.families)
    others = [name for name in names if name != family]
    if family == "residual":

        def at_residual(t: Array) -> float:
            found = problem.evaluate(dict(zip(others, t.tolist(), strict=True)))
            return found.deviance_at(sd * sd, problem.n, problem.p, method)

        return minimise(at_residual, len(others), np.array([max(fitted.ratios[name], 1e-3) for name in others]))[1]
    if sd == 0.0:
        return _at_zero(fitted, family, others)
    unit = math.sqrt(fitted.residual)

    def criterion(free: Array) -> float:
        spread = unit * max(float(free[0]), 1e-9)
        ratios = {family: sd / spread, **dict(zip(others, free[1:].tolist(), strict=True))}
        return problem.evaluate(ratios).deviance_at(spread * spread, problem.n, problem.p, method)

    start = np.array([1.0, *(max(fitted.ratios[name], 1e-3) for name in others)])
    return minimise(criterion, len(start), start, above_zero=1)[1]


def _at_zero(fitted: MixedFit, family: str, others: list[str]) -> float:
    problem, method = fitted.problem, fitted.method

    def criterion(t: Array) -> float:
        ratios = {family: 0.0, **dict(zip(others, t.tolist(), strict=True))}
        return problem.evaluate(ratios).deviance(problem.n, problem.p, method)

    if not others:
        return criterion(np.zeros(0))
    return minimise(criterion, len(others), np.array([max(fitted.ratios[name], 1e-3) for name in others]))[1]


def zero_test(fitted: MixedFit, family: str) -> tuple[float, float]:
    """Likelihood ratio of s_j = 0 and its p value from the 50:50 mixture of chi2_0 and chi2_1 (Self & Liang 1987)."""
    others = [name for name in fitted.problem.families if name != family]
    statistic = max(_at_zero(fitted, family, others) - fitted.criterion, 0.0)
    return statistic, 0.5 * float(chi2.sf(statistic, 1)) if statistic > 0.0 else 1.0
