"""Capability indices with their intervals: the bound is what is published, not the point."""

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import chi2, nct, norm

from projections.mathematics.answers import NoAnswer, finite, share


@dataclass(frozen=True, slots=True)
class Capability:
    """Indices of n independent units; None where the specification has no such side."""

    cp: float | None
    cpl: float | None
    cpu: float | None
    cpk: float
    cp_interval: tuple[float, float] | None
    cpk_interval_bissell: tuple[float, float]
    worse_side_lower_bound: float


def capability(
    n: int, mean: float, sd: float, lower: float | None, upper: float | None, level: float = 0.95
) -> Capability:
    """Cp, Cpk and intervals: chi-square (exact), Bissell (1990, approximate), exact one-sided noncentral t bound.

    With lots pass the total sd and Satterthwaite's dof + 1 as `n`. Raises `too_few`, `no_variation`, `bad_input`.
    """
    finite("mean, sd", [mean, sd])
    share("level", level)
    if n < 2:
        raise NoAnswer("too_few", "Capability needs at least two units.")
    if sd <= 0.0:
        raise NoAnswer("no_variation", "All units are equal: there is no capability to state.")
    if lower is None and upper is None:
        raise NoAnswer("bad_input", "A capability needs a specification limit.")
    cpl = (mean - lower) / (3.0 * sd) if lower is not None else None
    cpu = (upper - mean) / (3.0 * sd) if upper is not None else None
    cp = (upper - lower) / (6.0 * sd) if lower is not None and upper is not None else None
    cpk = min(value for value in (cpl, cpu) if value is not None)
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    interval = None
    if cp is not None:
        low, high = (cp * math.sqrt(float(chi2.ppf(tail, n - 1)) / (n - 1)) for tail in tails)
        interval = (low, high)
    width = float(norm.ppf(tails[1])) * math.sqrt(1.0 / (9.0 * n) + cpk**2 / (2.0 * (n - 1)))
    return Capability(cp, cpl, cpu, cpk, interval, (cpk - width, cpk + width), one_sided_bound(n, cpk, level))


def one_sided_bound(n: int, index: float, level: float = 0.95) -> float:
    """Exact lower confidence bound c of a one-sided index: nct.cdf(3 sqrt(n) C, n-1, 3 sqrt(n) c) = level."""
    root = 3.0 * math.sqrt(n)

    def excess(bound: float) -> float:
        return float(nct.cdf(root * index, n - 1, root * bound)) - level

    unit = math.sqrt(1.0 / (9.0 * n) + index**2 / (2.0 * (n - 1)))
    low, high = index - 4.0 * unit, index + unit
    while excess(low) < 0.0:
        low -= 4.0 * unit
    return float(brentq(excess, low, high, xtol=1e-13))


def satterthwaite(parts: list[tuple[float, float]]) -> tuple[float, float]:
    """Sum of c_i MS_i with its effective degrees of freedom, from (c_i MS_i, dof_i) (Satterthwaite 1946)."""
    total = sum(part for part, _ in parts)
    return total, total**2 / sum(part**2 / dof for part, dof in parts if part)
