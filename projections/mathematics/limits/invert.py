"""Smallest parent value at which a motor conforms: four forms of increasing honesty, and when there is none."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import nct, norm, t

from projections.mathematics.answers import Array, NoAnswer, finite, share

Form = Literal["mean", "plug_in", "predictive", "tolerance"]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A fitted plane y = x0'beta: beta (p,) with the intercept first, covariance over s² (p, p), s, and its dof."""

    beta: Array
    unscaled: Array
    s: float
    dof: float

    def mean(self, x0: Array) -> float:
        """Fitted mean at a row x0 (p,)."""
        return float(x0 @ self.beta)

    def leverage(self, x0: Array) -> float:
        """h(x0) = x0'(X'X)⁻¹x0."""
        return float(x0 @ self.unscaled @ x0)


def tolerance_factor(h: float, dof: float, content: float, confidence: float) -> float:
    """k(x) = t'_g(nu, z_p/sqrt h) sqrt h, exact for normal regression (statistics c.3; noncentral t)."""
    return float(nct.ppf(confidence, dof, float(norm.ppf(content)) / math.sqrt(h))) * math.sqrt(h)


def lower_bound(line: Line, x0: ArrayLike, *, form: Form, content: float, confidence: float = 0.95) -> float:
    """The lower bound of y at the row x0 (with its leading 1), unit of y, in the form that was asked for."""
    row = finite("x0", x0)
    mean, h = line.mean(row), line.leverage(row)
    if form == "mean":
        return mean
    share("content", content)
    if form == "plug_in":
        return mean - float(norm.ppf(content)) * line.s
    if form == "predictive":
        return mean - float(t.ppf(content, line.dof)) * line.s * math.sqrt(1.0 + h)
    return mean - tolerance_factor(h, line.dof, content, share("confidence", confidence)) * line.s


def parent_limit(
    line: Line,
    limit: float,
    *,
    form: Form,
    content: float = 0.95,
    confidence: float = 0.95,
    parent: int = 1,
    held: ArrayLike | None = None,
    side: Literal["lower", "upper"] = "lower",
) -> float:
    """The parent value (unit of x) where the bound of y equals `limit`; other parents `held` at a row (p,).

    `side` says which side of y is limited. The conforming direction of x follows the sign of the slope. Raises NoAnswer
    `no_finite_limit` when the slope cannot be told from zero at that confidence, or when the bound never reaches it.
    """
    if side == "upper":
        mirrored = Line(-line.beta, line.unscaled, line.s, line.dof)
        return parent_limit(
            mirrored, -limit, form=form, content=content, confidence=confidence, parent=parent, held=held
        )
    base = np.zeros(len(line.beta)) if held is None else finite("held", held).copy()
    base[0] = 1.0
    slope = float(line.beta[parent])
    error = line.s * math.sqrt(float(line.unscaled[parent, parent]))
    if slope == 0.0 or (
        form != "mean" and abs(slope) <= float(t.ppf(share("confidence", confidence), line.dof)) * error
    ):
        raise NoAnswer("no_finite_limit", f"The slope {slope:.4g} ± {error:.2g} cannot be told from zero.", slope=slope)

    def at(x: float) -> Array:
        row = base.copy()
        row[parent] = x
        return row

    def above(x: float) -> float:
        return lower_bound(line, at(x), form=form, content=content, confidence=confidence) - limit

    start = (limit - line.mean(at(0.0))) / slope
    if form == "mean":
        return start
    centre = _middle(line, base, parent)
    step = math.copysign(max(abs(line.s / slope), 1e-12 * max(abs(start), 1.0)), slope)
    return _cross(above, start, step, max(60.0 * abs(step), 40.0 * abs(start - centre)))


def _middle(line: Line, base: Array, parent: int) -> float:
    """Where the leverage is smallest: the middle of the data in that parent."""
    row = base.copy()
    row[parent] = 0.0
    return -float(line.unscaled[parent] @ row) / float(line.unscaled[parent, parent])


def extrapolated(value: float, low: float, high: float, margin: float = 0.1) -> bool:
    """Whether a limit lies outside the observed range of the parent by more than a share of that range."""
    return not low - margin * (high - low) <= value <= high + margin * (high - low)


def _cross(above: Callable[[float], float], start: float, step: float, reach: float) -> float:
    """The first crossing from nonconforming to conforming, walking from the mean's crossing in the safe direction."""
    here, walked = start, 0.0
    if above(start) >= 0.0:
        return start
    while walked < reach:
        there = here + 0.25 * step
        reached = above(there)
        if reached >= 0.0:
            return float(brentq(above, here, there, xtol=1e-13 * max(abs(there), 1.0), rtol=1e-14))
        here, walked, step = there, walked + abs(0.25 * step), step * 1.15
    raise NoAnswer("no_finite_limit", "The bound never reaches the limit: too few data for that confidence.")
