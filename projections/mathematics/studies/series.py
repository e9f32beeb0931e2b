"""Interrupted series: a step in weekly values with autocorrelated residuals."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from projections.mathematics.answers import Array, NoAnswer, finite
from projections.mathematics.studies.regression import Ols, ols


@dataclass(frozen=True, slots=True, eq=False)
class Ar1:
    """GLS with AR(1) residuals by maximum likelihood: phi, beta (p,), ML errors (divisor n), log likelihood."""

    phi: float
    beta: Array
    errors: Array
    log_likelihood: float


def gls_ar1(x: ArrayLike, y: ArrayLike) -> Ar1:
    """Profile likelihood in phi with the stationary first observation (nlme gls corAR1, ML).

    Raises NoAnswer `too_few`, `not_estimable`, `no_variation`.
    """
    table, response = finite("x", x), finite("y", y)
    plain = ols(table, response)
    if plain.variance <= 1e-24 * max(float(response @ response), 1e-300):
        raise NoAnswer("no_variation", "The fit is perfect: its residuals have no correlation.")
    n = len(response)

    def at(phi: float) -> tuple[float, Ols]:
        found = ols(_whiten(table, phi), _whiten(response[:, None], phi)[:, 0])
        variance = float(found.residuals @ found.residuals) / n
        value = -0.5 * n * (math.log(2.0 * math.pi * variance) + 1.0) + 0.5 * math.log1p(-phi * phi)
        return value, found

    grid = np.tanh(np.linspace(-3.0, 3.0, 25))
    place = int(np.argmax([at(float(phi))[0] for phi in grid]))
    low = float(grid[place - 1]) if place else -0.9999
    high = float(grid[place + 1]) if place + 1 < len(grid) else 0.9999
    best = minimize_scalar(
        lambda phi: -at(float(phi))[0], bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    )
    value, found = at(float(best.x))
    variance = float(found.residuals @ found.residuals) / n
    return Ar1(float(best.x), found.beta, np.sqrt(variance * np.diag(found.inverse)), value)


def _whiten(table: Array, phi: float) -> Array:
    white = np.empty_like(table)
    white[0] = table[0] * math.sqrt(1.0 - phi * phi)
    white[1:] = table[1:] - phi * table[:-1]
    return white
