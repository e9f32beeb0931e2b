"""Counts with an exposure: Poisson regression, and its scatter when counts vary more than Poisson."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, positive

LEAST = 1e-6
"""An expected count below this is on its way to zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Poisson:
    """beta (p,) on the log scale, covariance (p, p) for Poisson scatter, deviance, Pearson dispersion with n - p."""

    beta: Array
    covariance: Array
    deviance: float
    dispersion: float

    def ratio(self, place: int, level: float = 0.95, *, quasi: bool = False) -> tuple[float, float, float]:
        """Rate ratio of one term with its Wald interval; `quasi` widens it by the dispersion."""
        spread = self.covariance[place, place] * (self.dispersion if quasi else 1.0)
        half = float(norm.ppf((1.0 + level) / 2.0)) * math.sqrt(float(spread))
        centre = float(self.beta[place])
        return math.exp(centre), math.exp(centre - half), math.exp(centre + half)


def poisson(x: ArrayLike, counts: ArrayLike, exposure: ArrayLike) -> Poisson:
    """log E[count] = log exposure + x'b by iteratively reweighted least squares; x (n, p), exposure (n,) above zero.

    Raises NoAnswer `too_few`, `not_estimable`, `no_rate` (no event at all), `bad_input`, `did_not_converge`.
    """
    table, events, risk = finite("x", x), finite("counts", counts), positive("exposure", exposure)
    if (events < 0).any():
        raise NoAnswer("bad_input", "A count is negative.")
    if events.sum() == 0:
        raise NoAnswer("no_rate", "There is no event: a rate has only an upper bound.")
    n, p = table.shape
    if n <= p:
        raise NoAnswer("too_few", f"{n} rows cannot carry {p} coefficients and a scatter.", n=n)
    size = np.sqrt((table**2).mean(axis=0))
    if (size == 0).any() or np.linalg.matrix_rank(table / np.where(size > 0, size, 1), tol=1e-10 * math.sqrt(n)) < p:
        raise NoAnswer("not_estimable", "The columns of the model are sums of each other.")
    scaled = table / size
    log_risk = np.log(risk)
    eta = np.log(np.maximum(events, 0.1))
    before = math.inf
    for _ in range(100):
        mu = np.exp(np.clip(eta, -700.0, 700.0))
        root = np.sqrt(mu)
        working = eta - log_risk + (events - mu) / mu
        beta, *_ = np.linalg.lstsq(scaled * root[:, None], working * root, rcond=None)
        eta = scaled @ beta + log_risk
        mu = np.exp(np.clip(eta, -700.0, 700.0))
        deviance = 2.0 * float((xlogy(events, events / mu) - (events - mu)).sum())
        if (mu < LEAST).any():
            raise NoAnswer("no_rate", "Some term has no event at all: its rate runs away to zero.")
        if abs(before - deviance) <= 1e-13 * (abs(deviance) + 0.1):
            break
        before = deviance
    else:
        raise NoAnswer("did_not_converge", "The reweighted fit did not settle.")
    covariance = np.linalg.inv((scaled * mu[:, None]).T @ scaled) / np.outer(size, size)
    dispersion = float(((events - mu) ** 2 / mu).sum()) / (n - p)
    return Poisson(beta / size, covariance, deviance, dispersion)


def harmonics(time: ArrayLike, count: int, period: float) -> Array:
    """sin and cos of the first `count` harmonics (n, 2 count)."""
    angle = 2.0 * math.pi * finite("time", time) / positive("period", period)
    columns = [wave(k * angle) for k in range(1, count + 1) for wave in (np.sin, np.cos)]
    return np.column_stack(columns)
