"""A tolerance limit for units of a new lot: lots reduce the effective sample."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2, norm

from projections.mathematics.answers import Array, NoAnswer, share
from projections.mathematics.limits.factors import one_sided
from projections.mathematics.moments.exact import Tally
from projections.mathematics.quadrature import legendre

NODES = 160


@dataclass(frozen=True, slots=True)
class LotLimits:
    """Overall mean, sums of squares, lower limit by the generalized pivot, and the (wrong) limit that ignores lots."""

    mean: float
    ss_between: float
    ss_within: float
    limit: float
    ignoring_lots: float


def lower_limit(lots: Sequence[Tally], content: float, confidence: float) -> LotLimits:
    """Lower (p, g) tolerance limit for a unit of a new lot from per-lot tallies, unit of y.

    Generalized pivotal quantity (Krishnamoorthy & Mathew 2009, ch. 5), unweighted lot means and their harmonic size
    when unbalanced. Raises NoAnswer `too_few_levels` (one lot), `too_few` (no lot with two units), `no_variation`.
    """
    share("content", content), share("confidence", confidence)
    kept = [lot for lot in lots if lot.n > 0]
    if len(kept) < 2:
        raise NoAnswer("too_few_levels", "One lot says nothing of how lots differ.")
    whole = kept[0]
    for lot in kept[1:]:
        whole = whole.merge(lot)
    within = sum(lot.squares() for lot in kept)
    between = whole.squares() - within
    spare = whole.n - len(kept)
    if spare < 1:
        raise NoAnswer("too_few", "No lot holds two units: the scatter within a lot is unknown.")
    if whole.squares() == 0:
        raise NoAnswer("no_variation", "All units are equal.")
    means = np.array([float(lot.mean() - whole.mean()) for lot in kept])
    squares = float(((means - means.mean()) ** 2).sum())
    harmonic = float(np.mean([1.0 / lot.n for lot in kept]))
    shift = _quantile(len(kept), spare, squares, float(within), harmonic, content, confidence)
    s = math.sqrt(float(whole.squares()) / (whole.n - 1))
    mean = float(whole.mean())
    alone = mean - one_sided(whole.n, content, confidence) * s
    return LotLimits(mean, float(between), float(within), mean + float(means.mean()) + shift, alone)


def _nodes(dof: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights of a chi-square, on the scale of its cube root."""
    points, weights = legendre(NODES)
    low, high = float(chi2.ppf(1e-13, dof)) ** (1 / 3), float(chi2.isf(1e-13, dof)) ** (1 / 3)
    root = low + 0.5 * (high - low) * (points + 1.0)
    value = root**3
    return value, 0.5 * (high - low) * weights * chi2.pdf(value, dof) * 3.0 * root**2


def _quantile(
    lots: int, spare: int, squares: float, within: float, harmonic: float, content: float, confidence: float
) -> float:
    """The (1-g) quantile of Z sqrt(SSx/(a U)) - z_p sqrt(SSx/U + (1-1/n) SSE/V) by two-dimensional quadrature."""
    z = float(norm.ppf(content))
    u, wu = _nodes(lots - 1)
    v, wv = _nodes(spare)
    spread = np.sqrt(squares / (lots * u))[:, None]
    drop = z * np.sqrt((squares / u)[:, None] + (1.0 - harmonic) * within / v)
    total = float(wu.sum() * wv.sum())

    def below(shift: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = ndtr(np.where(spread > 0, (shift + drop) / spread, np.sign(shift + drop) * np.inf))
        return float(wu @ inside @ wv) / total - (1.0 - confidence)

    unit = math.sqrt(squares + within)
    low = -unit
    while below(low) > 0:
        low *= 2.0
        if low < -1e12 * unit:
            raise NoAnswer("no_finite_limit", "So few lots carry no limit at that confidence.")
    high = unit
    while below(high) < 0:
        high *= 2.0
    return float(brentq(below, low, high, xtol=1e-12 * unit))
