"""Normal-inverse-gamma regression: physics prior plus accumulated sums, and the limits that follow from it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, t

from projections.mathematics.answers import Array, NoAnswer, finite, positive
from projections.mathematics.limits.invert import Line, parent_limit


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """b | s² ~ N(mean, s² precision⁻¹), s² ~ InvGamma(a, b); mean (p,), precision (p, p) over s²."""

    mean: Array
    precision: Array
    a: float
    b: float

    def update(self, n: int, xx: ArrayLike, xy: ArrayLike, yy: float) -> "Belief":
        """P_n = P0 + X'X, m_n, a_n = a0 + n/2, b_n (statistics c.2; BDA3 ch. 14): updates add, merges add."""
        gram, right = finite("X'X", xx), finite("X'y", xy)
        precision = self.precision + gram
        pull = self.precision @ self.mean + right
        mean = np.asarray(np.linalg.solve(precision, pull), dtype=np.float64)
        start = float(self.mean @ self.precision @ self.mean)
        b = self.b + 0.5 * (float(finite("y'y", yy)) + start - float(mean @ precision @ mean))
        return Belief(mean, precision, self.a + n / 2.0, b)

    def sigma(self) -> Array:
        """Marginal 1-sigma of each coefficient (Student t scale with 2a degrees of freedom)."""
        return np.asarray(np.sqrt(np.diag(np.linalg.inv(self.precision)) * self.b / self.a))

    def wrong_sign(self, place: int, sign: float) -> float:
        """P(coefficient has the other sign)."""
        return float(t.cdf(-sign * self.mean[place] / self.sigma()[place], 2.0 * self.a))

    def line(self) -> Line:
        """The fitted line with covariance over s², as the inversion wants it; nu = 2a (statistics c.3)."""
        return Line(
            self.mean,
            np.asarray(np.linalg.inv(self.precision), dtype=np.float64),
            math.sqrt(self.b / self.a),
            2.0 * self.a,
        )


def belief(mean: ArrayLike, precision: ArrayLike, a: float, b: float) -> Belief:
    """A prior as pseudo-data; precision (p, p) or its diagonal (p,). Raises NoAnswer `bad_input`."""
    centre, weight = finite("prior mean", mean), finite("prior precision", precision)
    if weight.ndim == 1:
        weight = np.diag(weight)
    if weight.shape != (len(centre), len(centre)) or np.linalg.eigvalsh(weight)[0] < 0:
        raise NoAnswer("bad_input", "A prior precision must be a symmetric matrix without negative directions.")
    positive("a, b of the prior", [a, b])
    return Belief(centre, weight, a, b)


def conflict(prior: Belief, n: int, xx: ArrayLike, xy: ArrayLike, yy: float) -> tuple[float, float]:
    """(b - m0)'(V_hat + V0)⁻¹(b - m0) and its chi-square p value; V from each side's own scatter (statistics c.2)."""
    gram, right = finite("X'X", xx), finite("X'y", xy)
    p = len(prior.mean)
    if n <= p or np.linalg.cond(gram) > 1e12 or np.linalg.eigvalsh(prior.precision)[0] <= 0:
        raise NoAnswer("not_estimable", "Data or prior alone do not determine the slopes: no conflict can be told.")
    beta = np.linalg.solve(gram, right)
    scatter = max(float(yy) - float(right @ beta), 0.0) / (n - p)
    spread = scatter * np.linalg.inv(gram) + prior.b / prior.a * np.linalg.inv(prior.precision)
    gap = beta - prior.mean
    statistic = float(gap @ np.linalg.solve(spread, gap))
    return statistic, float(chi2.sf(statistic, p))


def belief_limits(after: Belief, lower_limit: float, content: float, confidence: float) -> tuple[float, float]:
    """Parent limits of a line y = b0 + b1 x: predictive and tolerance (p, g) (statistics c.3)."""
    line = after.line()
    predictive = parent_limit(line, lower_limit, form="predictive", content=content)
    tolerance = parent_limit(line, lower_limit, form="tolerance", content=content, confidence=confidence)
    return predictive, tolerance
