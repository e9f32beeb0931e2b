"""E-values: evidence that may be looked at after every motor, from n and a running sum only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from projections.mathematics.answers import NoAnswer, finite, positive, share


@dataclass(frozen=True, slots=True)
class Evidence:
    """Mergeable state of standardized residuals: n, sum, and sum of squares about the origin."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> "Evidence":
        """One more residual."""
        return Evidence(self.n + 1, self.total + value, self.squares + value * value)

    def merge(self, other: "Evidence") -> "Evidence":
        """Both together: a batch may be split in any way."""
        return Evidence(self.n + other.n, self.total + other.total, self.squares + other.squares)


def log_z_mixture(n: float, total: float, rho2: float) -> float:
    """log E_n = rho2 S²/(2(1+n rho2)) - log(1+n rho2)/2, H0: mean 0, variance 1 (Robbins 1970; statistics e.2)."""
    positive("rho2", rho2)
    finite("n, sum", [n, total])
    return rho2 * total * total / (2.0 * (1.0 + n * rho2)) - 0.5 * math.log1p(n * rho2)


def log_z_one_sided(n: float, total: float, rho2: float) -> float:
    """The same for H0: mean <= 0 (a residual from the conforming side of the boundary): half-normal mixture."""
    tail = float(norm.logcdf(total * math.sqrt(rho2 / (1.0 + n * rho2))))
    return math.log(2.0) + log_z_mixture(n, total, rho2) + tail


def log_t_mixture(n: int, mean: float, m2: float, g: float) -> float:
    """log E_n with unknown variance: right-Haar prior on sigma, delta ~ N(0, g); n >= 2; m2 = sum (x - mean)²."""
    positive("g", g)
    finite("mean, M2", [mean, m2])
    if n < 2:
        return 0.0
    if m2 <= 0.0:
        raise NoAnswer("no_variation", "All residuals are equal: there is no scatter to judge their mean by.")
    t2 = n * mean * mean / m2
    return -0.5 * math.log1p(n * g) + 0.5 * n * (math.log1p(t2) - math.log1p(t2 / (1.0 + n * g)))


def confidence_sequence(n: int, mean: float, rho2: float, alpha: float) -> tuple[float, float]:
    """mean ± sqrt(2(n rho2+1)/(n² rho2) log(sqrt(n rho2+1)/alpha)), valid at all n at once (Howard et al. 2021)."""
    share("alpha", alpha)
    positive("rho2", rho2)
    if n < 1:
        raise NoAnswer("too_few", "A confidence sequence starts with the first value.")
    half = math.sqrt(2.0 * (n * rho2 + 1.0) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1.0) / alpha))
    return mean - half, mean + half


@dataclass(frozen=True, slots=True)
class Rejected:
    """Which e-values are announced, and the threshold that they reached (None when none did)."""

    rejected: tuple[bool, ...]
    threshold: float | None


def e_bh(values: Sequence[float], alpha: float) -> Rejected:
    """Reject the k largest with E_(k) >= m/(k alpha): FDR <= alpha under any dependence (Wang & Ramdas 2022)."""
    e = finite("e-values", list(values))
    share("alpha", alpha)
    if (e < 0).any():
        raise NoAnswer("bad_input", "An e-value is negative.")
    ranked = np.sort(e)[::-1]
    enough = np.nonzero(ranked * np.arange(1, len(e) + 1) * alpha >= len(e) * (1.0 - 1e-15))[0]
    if not len(enough):
        return Rejected((False,) * len(e), None)
    k = int(enough[-1]) + 1
    threshold = len(e) / (k * alpha)
    edge = float(ranked[k - 1])
    return Rejected(tuple(bool(value >= edge) for value in e), threshold)
