"""Regression on certified properties with stated uncertainties, by moment correction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from projections.mathematics.answers import Array, NoAnswer, finite

WEAK_BELOW = 0.3
"""Below this reliability the correction is large and its error larger (statistics b.2)."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSums:
    """n, sums (k,) and products (k, k) of [x, y] around a fixed origin, and the running sum of U (p, p); merges."""

    n: int
    sums: Array
    products: Array
    u: Array

    @classmethod
    def of(cls, x: ArrayLike, u: ArrayLike, y: ArrayLike) -> "ErrorSums":
        """x (n, p), u (n, p) standard uncertainties or (n, p, p) covariances, y (n,)."""
        table = np.column_stack([finite("x", x).reshape(len(finite("y", y)), -1), finite("y", y)])
        covers = covariances(u, table.shape[1] - 1)
        return cls(len(table), table.sum(axis=0), table.T @ table, covers.sum(axis=0))

    def merge(self, other: "ErrorSums") -> "ErrorSums":
        """Both together."""
        return ErrorSums(self.n + other.n, self.sums + other.sums, self.products + other.products, self.u + other.u)

    def centred(self) -> Array:
        """Second moments (k, k) around the means, divisor n."""
        return np.asarray(self.products / self.n - np.outer(self.sums, self.sums) / self.n**2)


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Slopes (p,) with covariance (p, p), intercept, residual variance without the measurement's part, naive slopes.

    `reliability` is the smallest eigenvalue of Sxx⁻¹(Sxx - U): `weak` below 0.3. `covariance` is None from sums alone.
    """

    slopes: Array
    intercept: float
    covariance: Array | None
    residual_variance: float
    naive: Array
    reliability: float

    @property
    def weak(self) -> bool:
        """Whether the certificates carry so little that the correction is to be distrusted."""
        return self.reliability < WEAK_BELOW


def covariances(u: ArrayLike, p: int) -> Array:
    """Standard uncertainties (n, p) or covariances (n, p, p) as covariances; raises NoAnswer `bad_input`."""
    stated = finite("u", u)
    if stated.ndim == 3:
        return stated
    flat = stated.reshape(-1, p)
    if (flat < 0).any():
        raise NoAnswer("bad_input", "A standard uncertainty is negative.")
    return np.asarray(flat[:, :, None] ** 2 * np.eye(p))


def from_sums(state: ErrorSums) -> Corrected:
    """b = (Sxx - mean U)⁻¹ Sxy from merged sums (Fuller 1987; Carroll et al. 2006, ch. 5).

    Raises NoAnswer `too_few`, `no_variation`, `not_identified` when the uncertainty is not smaller than the scatter.
    """
    p = len(state.u)
    if state.n < p + 2:
        raise NoAnswer("too_few", f"{state.n} points cannot carry {p} slopes.", n=state.n)
    s = state.centred()
    xx, xy = s[:p, :p], s[:p, p]
    if np.linalg.eigvalsh(xx)[0] <= 1e-12 * max(float(np.trace(xx)), 1e-300) or float(np.trace(xx)) == 0.0:
        raise NoAnswer("no_variation", "The property does not vary between the points, or repeats another one.")
    inner = xx - state.u / state.n
    root = np.linalg.inv(np.linalg.cholesky(xx))
    reliability = float(np.linalg.eigvalsh(root @ inner @ root.T)[0])
    if reliability <= 0.0:
        raise NoAnswer(
            "not_identified",
            "The stated uncertainty is as large as the scatter of the property: its slope is not identified.",
            reliability=reliability,
        )
    slopes = np.asarray(np.linalg.solve(inner, xy), dtype=np.float64)
    naive = np.asarray(np.linalg.solve(xx, xy), dtype=np.float64)
    means = state.sums / state.n
    left = float(s[p, p] - slopes @ xy)
    return Corrected(slopes, float(means[p] - means[:p] @ slopes), None, left, naive, reliability)


def moment_corrected(x: ArrayLike, u: ArrayLike, y: ArrayLike) -> Corrected:
    """The same with the sandwich covariance from psi_i = x_i e_i + U_i b (rows of lots are at hand; statistics b.2)."""
    response = finite("y", y)
    table = finite("x", x).reshape(len(response), -1)
    p = table.shape[1]
    origin, base = table.mean(axis=0), float(response.mean())
    found = from_sums(ErrorSums.of(table - origin, u, response - base))
    covers = covariances(u, p)
    centred = table - origin
    e = response - base - centred @ found.slopes
    psi = centred * e[:, None] + covers @ found.slopes
    bread = np.linalg.inv(centred.T @ centred / len(e) - covers.mean(axis=0))
    covariance = bread @ (psi.T @ psi / len(e)) @ bread / len(e)
    intercept = base + found.intercept - float(origin @ found.slopes)
    return Corrected(
        found.slopes, intercept, np.asarray(covariance), found.residual_variance, found.naive, found.reliability
    )
