"""Irreversible flux loss against coercivity at temperature: flat, then a knee; fitted on lots over a grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from projections.inference.chain.line import Point, Prior
from projections.inference.lots.select import Matrix

WIDTHS = (0.002, 0.01, 0.02, 0.04)
"""Rounding of the knee as shares of its position: from a sharp hinge to a soft one."""
SLOPES = np.geomspace(0.004, 2.0, 45)
"""Loss beyond the knee in % per kA/m; the upper end is all of the magnet beyond it at once (domain.md B.5)."""
QUADRATURE = ((-math.sqrt(3.0), 1.0 / 6.0), (0.0, 2.0 / 3.0), (math.sqrt(3.0), 1.0 / 6.0))


@dataclass(frozen=True, slots=True)
class Knee:
    """The posterior over knee position, slope and width, with the flat level's mean and error for each.

    `position` with `u` (kA/m at temperature) summarise it; `conflict` compares the design's prior with the data
    alone; `basis` says what governs.
    """

    weights: Matrix
    positions: Matrix
    slopes: Matrix
    widths: Matrix
    levels: Matrix
    level_u: Matrix
    position: float
    u: float
    slope: float
    conflict: float | None
    basis: str
    lots: int
    x_range: tuple[float, float]

    def limit(self, loss: float, share: float, confidence: float, scatter: float) -> float | None:
        """The coercivity at temperature below which fewer than `share` of a lot's motors keep the loss.

        The `confidence` quantile of the inverted curve over the posterior; None where the flat level alone
        already fails so often that no coercivity would do.
        """
        room = loss - float(stats.norm.ppf(share)) * scatter
        values, weights = [], []
        for step, weight in QUADRATURE:
            rise = (room - self.levels - step * self.level_u) / (self.slopes * self.widths)
            # The inverse of the softplus, log(e^y − 1), which is y where e^y overflows.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                inverse = np.where(rise > 30.0, rise, np.log(np.expm1(np.minimum(rise, 30.0))))
            values.append(np.where(rise > 0.0, self.positions - self.widths * inverse, np.inf))
            weights.append(weight * self.weights)
        flat, mass = np.concatenate(values), np.concatenate(weights)
        order = np.argsort(flat)
        reached = np.searchsorted(np.cumsum(mass[order]), confidence * float(mass.sum()))
        found = float(flat[order][min(int(reached), len(flat) - 1)])
        return found if math.isfinite(found) else None

    def spread(self, loss: float, share: float, scatter: float) -> float:
        """Standard uncertainty of the limit: half the distance between its 16 % and 84 % quantiles."""
        ends = [self.limit(loss, share, at, scatter) for at in (0.1587, 0.8413)]
        return 0.5 * abs((ends[1] or math.inf) - (ends[0] or math.inf)) if all(ends) else self.u


def fit(points: Sequence[Point], prior: Prior | None, shared_u: float, conflict_probability: float) -> Knee | None:
    """The knee through lots; `x` is coercivity at the soak temperature in kA/m, `y` loss in %, higher is worse.

    y = level + slope·width·ln(1 + e^((knee − x)/width)); the level is integrated analytically, errors in x enter
    through the local slope. None with fewer than three lots.
    """
    if len(points) < 3:
        return None
    positions, slopes, widths = _grid(points, prior)
    likelihood, levels, level_u = _likelihood(points, positions, slopes, widths, shared_u)
    alone = _normal(likelihood)
    data_mean, data_u = _moments(alone, positions)
    conflict, basis, weights = None, "data", alone
    if prior is not None:
        conflict = float(stats.chi2.sf((data_mean - prior.mean) ** 2 / (data_u**2 + prior.sigma**2), 1))
        if conflict >= conflict_probability:
            weights = _normal(likelihood - 0.5 * ((positions - prior.mean) / prior.sigma) ** 2)
            basis = "prior and data"
    mean, u = _moments(weights, positions)
    slope = float(np.exp((weights * np.log(slopes)).sum()))
    x = [point.x for point in points]
    return Knee(
        weights, positions, slopes, widths, levels, level_u, mean, u, slope, conflict, basis, len(points),
        (min(x), max(x)),
    )  # fmt: skip


def _grid(points: Sequence[Point], prior: Prior | None) -> tuple[Matrix, Matrix, Matrix]:
    x = np.array([point.x for point in points])
    low, high = float(x.min()) - 0.15 * float(x.min()), float(x.max())
    if prior is not None:
        low, high = min(low, prior.mean - 3.0 * prior.sigma), max(high, prior.mean + 3.0 * prior.sigma)
    position, slope, width = np.meshgrid(np.linspace(max(low, 1.0), high, 161), SLOPES, WIDTHS, indexing="ij")
    return position.ravel(), slope.ravel(), (width * position).ravel()


def _likelihood(
    points: Sequence[Point], positions: Matrix, slopes: Matrix, widths: Matrix, shared_u: float
) -> tuple[Matrix, Matrix, Matrix]:
    x, ux = (np.array([getattr(point, name) for point in points])[:, None] for name in ("x", "ux"))
    y, uy = (np.array([getattr(point, name) for point in points])[:, None] for name in ("y", "uy"))
    below = (positions - x) / widths
    rise = slopes * widths * np.logaddexp(0.0, below)
    local = slopes / (1.0 + np.exp(-np.clip(below, -50.0, 50.0)))
    variance = uy**2 + (local * ux) ** 2
    total = (1.0 / variance).sum(axis=0)
    level = ((y - rise) / variance).sum(axis=0) / total
    residual = ((y - rise - level) ** 2 / variance + np.log(variance)).sum(axis=0)
    return -0.5 * (residual + np.log(total)), level, np.sqrt(1.0 / total + shared_u**2)


def _normal(log_weights: Matrix) -> Matrix:
    weights: Matrix = np.exp(log_weights - log_weights.max())
    total = float(weights.sum())
    normal: Matrix = weights / total
    return normal


def _moments(weights: Matrix, values: Matrix) -> tuple[float, float]:
    mean = float((weights * values).sum())
    return mean, math.sqrt(float((weights * (values - mean) ** 2).sum()))
