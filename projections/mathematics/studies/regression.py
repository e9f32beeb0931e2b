"""Ordinary least squares on rows with the covariances that dependent data need: clustered and autocorrelated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from projections.mathematics.answers import Array, NoAnswer, finite


@dataclass(frozen=True, slots=True, eq=False)
class Ols:
    """beta (p,), (X'X)⁻¹ (p, p), residuals (n,), their variance with n - p, and the design (n, p)."""

    beta: Array
    inverse: Array
    residuals: Array
    variance: float
    x: Array

    @property
    def errors(self) -> Array:
        """Standard errors for independent rows (p,)."""
        return np.asarray(np.sqrt(np.maximum(self.variance * np.diag(self.inverse), 0.0)))


def ols(x: ArrayLike, y: ArrayLike) -> Ols:
    """QR on columns scaled to unit length; raises NoAnswer `too_few`, `not_estimable`."""
    table, response = finite("x", x), finite("y", y)
    n, p = table.shape
    if n <= p:
        raise NoAnswer("too_few", f"{n} rows cannot carry {p} coefficients and a scatter.", n=n)
    size = np.sqrt((table**2).sum(axis=0))
    if (size == 0).any() or np.linalg.matrix_rank(table / size, tol=1e-10) < p:
        raise NoAnswer("not_estimable", "The columns of the model are sums of each other.")
    q, r = np.linalg.qr(table / size)
    beta = np.linalg.solve(r, q.T @ response) / size
    root = np.linalg.inv(r) / size[:, None]
    residuals = response - table @ beta
    return Ols(beta, root @ root.T, residuals, float(residuals @ residuals) / (n - p), table)


def newey_west(found: Ols, lags: int) -> Array:
    """Covariance (p, p) with Bartlett weights and no small-sample factor (Newey & West 1987)."""
    score = found.x * found.residuals[:, None]
    meat = score.T @ score
    for lag in range(1, min(lags, len(score) - 1) + 1):
        part = score[lag:].T @ score[:-lag]
        meat += (1.0 - lag / (lags + 1.0)) * (part + part.T)
    return np.asarray(found.inverse @ meat @ found.inverse)


def clustered(found: Ols, clusters: Sequence[str]) -> tuple[Array, int]:
    """CR1 covariance (p, p), factor G/(G-1) (n-1)/(n-k), and G; raises NoAnswer `too_few_levels` below two clusters."""
    names = sorted(set(clusters))
    if len(names) < 2:
        raise NoAnswer("too_few_levels", "One cluster says nothing of how clusters differ.")
    place = {name: number for number, name in enumerate(names)}
    score = np.zeros((len(names), found.x.shape[1]))
    np.add.at(score, [place[name] for name in clusters], found.x * found.residuals[:, None])
    n, k = found.x.shape
    g = len(names)
    factor = g / (g - 1) * (n - 1) / (n - k)
    return np.asarray(factor * found.inverse @ score.T @ score @ found.inverse), g


def durbin_watson(residuals: Array) -> float:
    """sum (e_t - e_t-1)² / sum e²."""
    total = float(residuals @ residuals)
    if total <= 0.0:
        raise NoAnswer("no_variation", "The fit is perfect: its residuals have no correlation.")
    return float((np.diff(residuals) ** 2).sum()) / total


def standard_errors(covariance: Array) -> Array:
    """Square roots of the diagonal."""
    return np.asarray(np.sqrt(np.maximum(np.diag(covariance), 0.0)))
