"""A straight line through lots, errors in both coordinates, with a physical prior on its slope; and its inversion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, stats

from projections.mathematics.edges.scalar import update
from projections.mathematics.lines.york import york


@dataclass(frozen=True, slots=True)
class Point:
    """One lot: property `x` with error `ux`, motor metric `y` with error `uy`."""

    lot: str
    x: float
    ux: float
    y: float
    uy: float


@dataclass(frozen=True, slots=True)
class Prior:
    """A slope expected before the data, with its 1-sigma and where it comes from."""

    mean: float
    sigma: float
    source: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """m(x) = y0 + slope·(x − x0): the slope after prior and data, the data alone beside it.

    `extra` is the standard deviation of lots around the line beyond their errors; `conflict` the probability of the
    prior and the data differing as much by chance, None where one of them is missing; `basis` says what governs.
    """

    x0: float
    y0: float
    u0: float
    slope: float
    u_slope: float
    data_slope: float | None
    data_u: float | None
    extra: float
    conflict: float | None
    basis: str
    lots: int
    x_range: tuple[float, float]

    def mean(self, x: float) -> float:
        return self.y0 + self.slope * (x - self.x0)

    def error(self, x: float) -> float:
        """Standard error of m(x)."""
        return math.hypot(self.u0, (x - self.x0) * self.u_slope)


def fit(points: Sequence[Point], prior: Prior | None, shared_u: float, conflict_probability: float) -> Line | None:
    """The line after prior and data (domain.md E.6 update rule), or None where neither gives a slope.

    A prior that contradicts the data (chi-square of their difference, statistics.md c.2) is not pooled: the data
    alone govern.
    """
    if len(points) < 2:
        return None
    data, extra = _york_with_scatter(points)
    weights = np.array([1.0 / (p.uy**2 + extra**2) for p in points])
    x0 = float(np.average([p.x for p in points], weights=weights))
    base = Line(
        x0, float(np.average([p.y for p in points], weights=weights)),
        math.hypot(shared_u, 1.0 / math.sqrt(float(weights.sum()))), 0.0, 0.0,
        data and data[0], data and data[1], extra, None, "data", len(points),
        (min(p.x for p in points), max(p.x for p in points)),
    )  # fmt: skip
    if prior is None:
        return None if data is None else replace(base, slope=data[0], u_slope=data[1])
    if data is None:
        return replace(base, slope=prior.mean, u_slope=prior.sigma, basis="prior")
    found = update(prior.mean, prior.sigma, data[0], data[1], conflict_below=conflict_probability)
    basis = "prior and data" if found.pooled else "data"
    return replace(base, slope=found.mean, u_slope=found.sigma, conflict=found.conflict_p, basis=basis)


def _york_with_scatter(points: Sequence[Point]) -> tuple[tuple[float, float] | None, float]:
    """Slope and its error by York 2004, and the lot scatter that makes chi-square equal its degrees of freedom."""
    x, ux = np.array([p.x for p in points]), np.array([p.ux for p in points])
    y, uy = np.array([p.y for p in points]), np.array([p.uy for p in points])
    if len(points) < 3 or float(np.var(x)) <= 1.2 * float(np.mean(ux**2)) or float(np.ptp(x)) == 0.0:
        return None, max(float(np.std(y)) if len(points) > 2 else 0.0, 0.0)

    def excess(extra: float) -> float:
        found = york(x, y, ux, np.hypot(uy, extra))
        return found.chi2 - found.dof

    extra = 0.0
    if excess(0.0) > 0.0:
        upper = 4.0 * float(np.std(y)) + 1e-12
        extra = float(optimize.brentq(excess, 0.0, upper)) if excess(upper) < 0.0 else upper
    found = york(x, y, ux, np.hypot(uy, extra))
    return (found.slope, found.se_slope), extra


def invert(line: Line, limit: float, sign: float, share: float, confidence: float, scatter: float) -> float | None:
    """The property value at which a lot's motors conform with `share`, shown with `confidence`; None: no finite one.

    sign·(m(x) − L) = z_share·s + z_confidence·se(m(x)), on the branch where conformance improves (statistics.md c.3);
    s holds the motors' and the lots' scatter. Without a solution where the slope's bound includes zero.
    """
    z, t = float(stats.norm.ppf(share)), float(stats.norm.ppf(confidence))
    if abs(line.slope) <= t * line.u_slope:
        return None
    better = math.copysign(1.0, sign * line.slope)
    total = math.hypot(scatter, line.extra)

    def margin(distance: float) -> float:
        x = line.x0 + better * distance
        return sign * (line.mean(x) - limit) - z * total - t * line.error(x)

    span = abs(line.mean(line.x0) - limit) + 10.0 * (abs(z) * total + t * line.u0) + 1e-12
    reach = span / max(abs(line.slope) - t * line.u_slope, 1e-300)
    if not (margin(-reach) < 0.0 < margin(reach)):
        return None
    return line.x0 + better * float(optimize.brentq(margin, -reach, reach, xtol=1e-12))
