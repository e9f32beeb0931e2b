"""Planned looks: group-sequential bounds by recursive integration, at the information fractions actually reached."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, share
from projections.mathematics.quadrature import legendre

POINTS = 240
FLOOR = -8.5


def _fractions(fractions: Sequence[float]) -> Array:
    t = finite("information fractions", list(fractions), least=1)
    if (t <= 0).any() or (np.diff(t) <= 0).any() or t[-1] > 1.0 + 1e-12:
        raise NoAnswer("bad_input", "Information fractions must rise and lie above 0 and not above 1.")
    return t


class _Walk:
    """The density of the score at a look, given that no bound was crossed before (Armitage et al. 1969)."""

    def __init__(self, sides: int) -> None:
        self.sides = sides
        self.nodes, self.weights = legendre(POINTS)
        self.t, self.x, self.mass = 0.0, np.zeros(1), np.ones(1)

    def upper(self, t: float, z: float) -> float:
        """P(no crossing before, Z_t > z)."""
        return float(self.mass @ ndtr((self.x - z * math.sqrt(t)) / math.sqrt(t - self.t)))

    def advance(self, t: float, z: float) -> None:
        """Continue inside the bounds at this look."""
        high = z * math.sqrt(t)
        low = -high if self.sides == 2 else FLOOR * math.sqrt(t)
        y = 0.5 * (low + high) + 0.5 * (high - low) * self.nodes
        step = math.sqrt(t - self.t)
        density = self.mass @ (norm.pdf((y[None, :] - self.x[:, None]) / step) / step)
        self.t, self.x, self.mass = t, y, density * 0.5 * (high - low) * self.weights


def crossing(fractions: Sequence[float], bounds: Sequence[float], sides: int) -> float:
    """P(crossing at some look) under no effect; two-sided counts both."""
    walk = _Walk(sides)
    total = 0.0
    for t, z in zip(_fractions(fractions), bounds, strict=True):
        total += sides * walk.upper(float(t), z)
        walk.advance(float(t), z)
    return total


def constant(fractions: Sequence[float], alpha: float, sides: int, shape: Callable[[float], float]) -> float:
    """C with bounds C * shape(t) spending alpha over all looks."""
    t = _fractions(fractions)
    share("alpha", alpha)

    def excess(c: float) -> float:
        return crossing(t.tolist(), [c * shape(float(x)) for x in t], sides) - alpha

    low = 0.5 * float(norm.isf(alpha / sides))
    return float(brentq(excess, low, 12.0, xtol=1e-10))


def pocock(fractions: Sequence[float], alpha: float, sides: int = 2) -> list[float]:
    """The same z at every look (Pocock 1977)."""
    return [constant(fractions, alpha, sides, lambda t: 1.0)] * len(fractions)


def obrien_fleming(fractions: Sequence[float], alpha: float, sides: int = 2) -> list[float]:
    """z falling with 1/sqrt(t) (O'Brien & Fleming 1979)."""
    c = constant(fractions, alpha, sides, lambda t: 1.0 / math.sqrt(t))
    return [c / math.sqrt(t) for t in fractions]


def spend_obrien_fleming(alpha: float, t: float) -> float:
    """2(1 - Phi(z_{1-alpha/2}/sqrt t)) (Lan & DeMets 1983)."""
    return 2.0 * float(norm.sf(float(norm.isf(alpha / 2.0)) / math.sqrt(min(t, 1.0))))


def spend_pocock(alpha: float, t: float) -> float:
    """alpha ln(1 + (e-1) t) (Lan & DeMets 1983)."""
    return alpha * math.log1p((math.e - 1.0) * min(t, 1.0))


def spending(
    fractions: Sequence[float], alpha: float, spend: Callable[[float, float], float], sides: int = 2
) -> list[float]:
    """z bounds; each side spends `spend(alpha/sides, t)` up to each look actually taken."""
    walk = _Walk(sides)
    spent, bounds = 0.0, []
    for t in _fractions(fractions).tolist():
        due = spend(share("alpha", alpha) / sides, t)
        more, spent = due - spent, due
        if walk.upper(t, 12.0) >= more:
            z = 12.0
        else:
            z = float(brentq(lambda c, t=t, more=more: walk.upper(t, c) - more, -5.0, 12.0, xtol=1e-11))
        bounds.append(z)
        walk.advance(t, z)
    return bounds
