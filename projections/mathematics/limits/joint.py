"""Limits on two parents at once for a normal supply: the least-excluding pair, and what other forms would exclude."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtr
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, positive, share
from projections.mathematics.quadrature import legendre

NODES = 48
REACH = 8.5


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parents N2(mean, sd, rho) and a child b0 + b1 x1 + b2 x2 + N(0, s²) with a lower limit."""

    mean: tuple[float, float]
    sd: tuple[float, float]
    rho: float
    intercept: float
    slopes: tuple[float, float]
    s: float
    lower_limit: float

    def __post_init__(self) -> None:
        finite("means and slopes", [*self.mean, *self.slopes, self.intercept, self.lower_limit])
        positive("sd, s", [*self.sd, self.s])
        if not -1.0 < self.rho < 1.0 or 0.0 in self.slopes:
            raise NoAnswer("bad_input", "The parents must be separable and both slopes differ from zero.")

    @property
    def standard(self) -> tuple[float, float, float, float]:
        """(m, c1, c2, rho): the child's margin in units of s is m + c1 z1 + c2 z2 with c >= 0 and unit normal z."""
        margin = self.intercept + sum(b * m for b, m in zip(self.slopes, self.mean, strict=True)) - self.lower_limit
        c = [abs(b) * sd / self.s for b, sd in zip(self.slopes, self.sd, strict=True)]
        flip = math.copysign(1.0, self.slopes[0]) * math.copysign(1.0, self.slopes[1])
        return margin / self.s, c[0], c[1], flip * self.rho

    def value(self, parent: int, z: float) -> float:
        """A standardized limit in the parent's unit; an upper limit where the slope is negative."""
        return self.mean[parent] + math.copysign(1.0, self.slopes[parent]) * z * self.sd[parent]


@dataclass(frozen=True, slots=True)
class Joint:
    """Limits (None: none needed on that parent) with conformance of the unlimited supply and excluded shares.

    `only` excludes by one parent alone, `half_plane` by the predicted child mean; None where nothing qualifies.
    """

    unlimited: float
    limits: tuple[float | None, float | None]
    excluded: float
    half_plane: float
    only: tuple[float | None, float | None]


def joint_limits(pair: Pair, target: float) -> Joint:
    """Minimize the excluded share subject to P(child conforms | accepted) >= target (statistics c.5).

    Raises NoAnswer `no_supply_qualifies` when no pair of limits reaches the target.
    """
    share("target", target)
    m, c1, c2, rho = pair.standard
    total = math.sqrt(1.0 + c1**2 + c2**2 + 2.0 * rho * c1 * c2)
    unlimited = float(ndtr(m / total))
    if unlimited >= target:
        return Joint(unlimited, (None, None), 0.0, 0.0, (0.0, 0.0))
    one = _single(m, c1 + rho * c2, math.sqrt(1.0 + c2**2 * (1.0 - rho**2)), target)
    two = _single(m, c2 + rho * c1, math.sqrt(1.0 + c1**2 * (1.0 - rho**2)), target)
    plane = _single(m, math.sqrt(c1**2 + c2**2 + 2.0 * rho * c1 * c2), 1.0, target)
    if plane is None:
        raise NoAnswer("no_supply_qualifies", "No limit on these parents brings the child to its target.")
    only = tuple(None if z is None else float(ndtr(z)) for z in (one, two))
    z1, z2, excluded = _best(m, c1, c2, rho, target, one, two)
    limits = (
        None if z1 <= -REACH + 0.1 else pair.value(0, z1),
        None if z2 <= -REACH + 0.1 else pair.value(1, z2),
    )
    return Joint(unlimited, limits, excluded, float(ndtr(plane)), (only[0], only[1]))


def _single(m: float, slope: float, s: float, target: float) -> float | None:
    """z with P(m + slope z + s e >= 0 | z >= limit) = target."""
    if slope <= 0.0:
        return None

    def gap(z: float) -> float:
        x, w = _rule(z, max(z + 4.0, REACH))
        mass = w * norm.pdf(x)
        return float(mass @ ndtr((m + slope * x) / s)) / float(mass.sum()) - target

    high = 7.0
    if gap(high) < 0.0:
        return None
    return float(brentq(gap, -REACH, high, xtol=1e-12))


def _rule(low: float, high: float, count: int = NODES) -> tuple[Array, Array]:
    nodes, weights = legendre(count)
    half = 0.5 * (high - low)
    return low + half * (nodes + 1.0), half * weights


def _accepted(m: float, c1: float, c2: float, rho: float, z1: float, z2: float) -> tuple[float, float]:
    """P(accepted) and P(accepted and conforming) for z1, z2 above their limits."""
    x, wx = _rule(z1, max(z1 + 4.0, REACH))
    y, wy = _rule(z2, max(z2 + 4.0, REACH))
    root = math.sqrt(1.0 - rho**2)
    square = (x[:, None] ** 2 - 2.0 * rho * x[:, None] * y[None, :] + y[None, :] ** 2) / root**2
    mass = wx[:, None] * wy[None, :] * np.exp(-0.5 * square) / (2.0 * math.pi * root)
    conform = ndtr(m + c1 * x[:, None] + c2 * y[None, :])
    return float(mass.sum()), float((mass * conform).sum())


def _best(
    m: float, c1: float, c2: float, rho: float, target: float, one: float | None, two: float | None
) -> tuple[float, float, float]:
    """The first limit is searched, the second follows from the target."""

    def second(z1: float) -> float | None:
        def gap(z2: float) -> float:
            accepted, good = _accepted(m, c1, c2, rho, z1, z2)
            return good - target * accepted

        if gap(-REACH) >= 0.0:
            return -REACH
        high = 6.5
        return float(brentq(gap, -REACH, high, xtol=1e-9)) if gap(high) >= 0.0 else None

    def excluded(z1: float) -> float:
        z2 = second(z1)
        return 1.0 if z2 is None else 1.0 - _accepted(m, c1, c2, rho, z1, z2)[0]

    top = one if one is not None else 4.0
    grid = np.linspace(max(top - 8.0, -REACH), top, 25)
    values = [excluded(float(z)) for z in grid]
    place = int(np.argmin(values))
    low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, 24)])
    found = minimize_scalar(excluded, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    choices = [(float(found.fun), float(found.x))]
    choices += [(float(ndtr(two)), -REACH)] if two is not None else []
    choices += [(float(ndtr(one)), one)] if one is not None else []
    share_out, z1 = min(choices)
    z2 = second(z1)
    if z2 is None or share_out >= 1.0:
        raise NoAnswer("no_supply_qualifies", "No pair of limits brings the child to its target.")
    return z1, z2, share_out
