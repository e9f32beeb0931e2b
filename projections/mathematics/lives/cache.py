"""Mergeable sums of t^b at fixed nodes of the shape: a cache that adds across lots and periods."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BarycentricInterpolator
from scipy.optimize import minimize_scalar

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.lives.weibull import Lives

NODES = 24
LOW, HIGH = math.log(0.3), math.log(8.0)
_GRID = 0.5 * (LOW + HIGH) + 0.5 * (HIGH - LOW) * np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)


@dataclass(frozen=True, slots=True, eq=False)
class PowerSums:
    """r, sum of log(t/tau) over failures and S(b_m) = sum (t/tau)^b_m at 24 Chebyshev nodes of log b (statistics d)."""

    tau: float
    failures: float
    logs: float
    sums: Array

    @classmethod
    def of(cls, data: Lives, tau: float) -> "PowerSums":
        """From lives, times in units of tau."""
        logs = np.log(data.time / tau)
        sums = np.array([float(data.weight @ np.exp(b * logs)) for b in np.exp(_GRID)])
        return cls(tau, data.failures, float((data.weight * data.failed) @ logs), sums)

    def merge(self, other: "PowerSums") -> "PowerSums":
        """Both together; the unit tau must be the same."""
        if self.tau != other.tau:
            raise NoAnswer("bad_input", "Caches of different tau cannot be merged.")
        return PowerSums(self.tau, self.failures + other.failures, self.logs + other.logs, self.sums + other.sums)


def common_shape(lots: Sequence[PowerSums]) -> tuple[float, list[float | None]]:
    """Shape common to all lots and scale by lot (h; None without failures), from caches alone; about 5e-12 accurate.

    Raises NoAnswer `no_rate` (no failure), `no_finite_limit` (the shape lies outside 0.3 to 8).
    """
    ended = [lot for lot in lots if lot.failures > 0]
    if not ended:
        raise NoAnswer("no_rate", "Nothing has failed: there is a lower bound on the life, but no estimate.")
    r = np.array([lot.failures for lot in ended])
    logs = sum(lot.logs for lot in ended)
    curves = BarycentricInterpolator(_GRID, np.log(np.array([lot.sums for lot in ended])).T)

    def profile(x: float) -> float:
        """Negative profile log likelihood in x = log b, up to a constant."""
        at = np.asarray(curves(x)).ravel()
        return -float(r.sum()) * x - math.exp(x) * logs + float(r @ at)

    shape = _bracketed(profile)
    at = np.exp(np.asarray(curves(math.log(shape))).ravel())
    scales = iter((s / n) ** (1.0 / shape) * lot.tau for s, n, lot in zip(at, r, ended, strict=True))
    return shape, [float(next(scales)) if lot.failures > 0 else None for lot in lots]


def _bracketed(profile: Callable[[float], float]) -> float:
    """The minimum over log b inside the range of the nodes."""
    found = minimize_scalar(profile, bounds=(LOW, HIGH), method="bounded", options={"xatol": 1e-10})
    x = float(found.x)
    if min(x - LOW, HIGH - x) < 1e-4:
        raise NoAnswer("no_finite_limit", "The shape lies outside 0.3 to 8, the range that the cache covers.")
    return math.exp(x)
