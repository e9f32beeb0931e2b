"""EWMA and CUSUM of plant-level residual means, and their average run lengths."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, positive
from projections.mathematics.quadrature import legendre

NODES = 160


@dataclass(frozen=True, slots=True)
class Ewma:
    """State (z, t) of an ordered fold: late facts need a replay from a checkpoint."""

    weight: float
    target: float
    z: float
    t: int = 0

    @classmethod
    def start(cls, weight: float, target: float) -> "Ewma":
        """At the target; weight lambda in (0, 1]."""
        if not 0.0 < weight <= 1.0:
            raise NoAnswer("bad_input", "The weight of an EWMA lies between 0 and 1.")
        return cls(weight, target, target)

    def add(self, x: float) -> "Ewma":
        """z = lambda x + (1 - lambda) z."""
        finite("x", x)
        return Ewma(self.weight, self.target, self.weight * x + (1.0 - self.weight) * self.z, self.t + 1)

    def limits(self, s: float, width: float, *, asymptotic: bool = True) -> tuple[float, float]:
        """Control limits target ± L s sqrt(lambda/(2-lambda) [1-(1-lambda)^2t])."""
        positive("s, L", [s, width])
        part = 1.0 if asymptotic else 1.0 - (1.0 - self.weight) ** (2 * self.t)
        half = width * s * math.sqrt(self.weight / (2.0 - self.weight) * part)
        return self.target - half, self.target + half


@dataclass(frozen=True, slots=True)
class Cusum:
    """Upper and lower cumulative sums with reference k and decision h, all in the unit of x."""

    target: float
    k: float
    h: float
    high: float = 0.0
    low: float = 0.0

    def add(self, x: float) -> "Cusum":
        """S+ = max(0, S+ + x - target - k), S- = max(0, S- + target - k - x) (Page 1954)."""
        finite("x", x)
        high = max(0.0, self.high + x - self.target - self.k)
        return Cusum(self.target, self.k, self.h, high, max(0.0, self.low + self.target - self.k - x))

    @property
    def signals(self) -> bool:
        """Whether either sum is above h."""
        return self.high > self.h or self.low > self.h


def run(chart: Cusum, values: Sequence[float]) -> tuple[list[Cusum], int | None]:
    """The states after each value and the first (1-based) that signals."""
    states: list[Cusum] = []
    first = None
    for value in values:
        chart = chart.add(value)
        states.append(chart)
        if first is None and chart.signals:
            first = len(states)
    return states, first


def ewma_arl(weight: float, width: float, shift: float) -> float:
    """Zero-state ARL of the two-sided EWMA with asymptotic limits, shift in sd, by its integral equation."""
    if not 0.0 < weight <= 1.0:
        raise NoAnswer("bad_input", "The weight of an EWMA lies between 0 and 1.")
    positive("L", width)
    c = width * math.sqrt(weight / (2.0 - weight))
    count = max(NODES, math.ceil(12.0 * c / weight))
    nodes, weights = legendre(count)
    y, w = c * nodes, c * weights / weight

    def kernel(z: Array) -> Array:
        return np.asarray(norm.pdf((y[None, :] - (1.0 - weight) * z[:, None]) / weight - shift) * w[None, :])

    length = np.linalg.solve(np.eye(count) - kernel(y), np.ones(count))
    return 1.0 + float(kernel(np.zeros(1))[0] @ length)


def cusum_arl(k: float, h: float, shift: float) -> float:
    """Zero-state ARL of the two-sided CUSUM, everything in sd: 1/ARL = 1/ARL+ + 1/ARL- (Kemp 1961)."""
    positive("h", h)
    return 1.0 / (1.0 / cusum_arl_one_sided(k, h, shift) + 1.0 / cusum_arl_one_sided(k, h, -shift))


def cusum_arl_one_sided(k: float, h: float, shift: float) -> float:
    """Zero-state ARL of an upper CUSUM: L(u) = 1 + L(0) Phi(k-u-d) + int_0^h L(x) phi(x+k-u-d) dx."""
    count = max(NODES, math.ceil(16.0 * h))
    nodes, weights = legendre(count)
    x, w = 0.5 * h * (nodes + 1.0), 0.5 * h * weights
    u = np.append(0.0, x)
    matrix = np.empty((count + 1, count + 1))
    matrix[:, 0] = ndtr(k - u - shift)
    matrix[:, 1:] = norm.pdf(x[None, :] + k - u[:, None] - shift) * w[None, :]
    return float(np.linalg.solve(np.eye(count + 1) - matrix, np.ones(count + 1))[0])
