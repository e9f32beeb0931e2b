"""One slope: a prior from physics and an estimate from data become a posterior, or a named conflict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import chi2, norm

from projections.mathematics.answers import NoAnswer, finite, positive

CONFLICT_BELOW = 0.001
"""At a smaller p value the prior is not pooled: the data alone govern (statistics c.2)."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope with 1-sigma; the data-only estimate beside it, conflict chi-square and p, P(wrong sign).

    `pooled` is False where prior and data contradict each other and the data alone govern.
    """

    mean: float
    sigma: float
    data: float | None
    data_se: float | None
    prior: float
    prior_sigma: float
    conflict: float
    conflict_p: float
    wrong_sign: float
    pooled: bool


def prior_only(prior: float, prior_sigma: float) -> Slope:
    """The slope before any data."""
    finite("prior", prior)
    positive("prior sigma", prior_sigma)
    return Slope(prior, prior_sigma, None, None, prior, prior_sigma, 0.0, 1.0, _wrong(prior, prior_sigma, prior), True)


def update(
    prior: float, prior_sigma: float, data: float, data_se: float, *, conflict_below: float = CONFLICT_BELOW
) -> Slope:
    """Conjugate normal update; conflict (b - m0)²/(se² + sigma0²) as chi-square with one degree of freedom (c.2)."""
    finite("slope", [prior, data])
    positive("sigma", [prior_sigma, data_se])
    statistic = (data - prior) ** 2 / (data_se**2 + prior_sigma**2)
    p = float(chi2.sf(statistic, 1))
    if p < conflict_below:
        return Slope(
            data, data_se, data, data_se, prior, prior_sigma, statistic, p, _wrong(data, data_se, prior), False
        )
    precision = 1.0 / prior_sigma**2 + 1.0 / data_se**2
    mean, sigma = (prior / prior_sigma**2 + data / data_se**2) / precision, math.sqrt(1.0 / precision)
    return Slope(mean, sigma, data, data_se, prior, prior_sigma, statistic, p, _wrong(mean, sigma, prior), True)


def _wrong(mean: float, sigma: float, prior: float) -> float:
    """P(the slope has the sign opposite to the prior's)."""
    return float(norm.cdf(-mean / sigma)) if prior >= 0 else float(norm.cdf(mean / sigma))


def product(slopes: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean and sigma of a product of independent slopes, exact: E[prod²] = prod (m² + s²) (statistics c.2)."""
    if not slopes:
        raise NoAnswer("bad_input", "A path needs at least one edge.")
    mean, square = 1.0, 1.0
    for value, sigma in slopes:
        finite("slope", [value, sigma])
        mean, square = mean * value, square * (value * value + sigma * sigma)
    return mean, math.sqrt(max(square - mean * mean, 0.0))
