"""Least squares from exact cross-products: rational arithmetic on integer sums, with the condition number beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.moments.exact import root

LARGEST_CONDITION = 1e10
"""Above this the inputs' own rounding moves the answer: it is an answer to the printed digits only."""


@dataclass(frozen=True, slots=True)
class Products:
    """Sums of products of k columns as exact rationals (the last one the response), over n rows; merges exactly."""

    sums: tuple[tuple[Fraction, ...], ...]
    n: int

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[Fraction]]) -> "Products":
        """From rows of rationals (decimal strings, or floats taken at their binary value)."""
        if not rows:
            raise NoAnswer("too_few", "There are no rows.")
        k = len(rows[0])
        return cls(
            tuple(tuple(sum((r[i] * r[j] for r in rows), Fraction(0)) for j in range(k)) for i in range(k)), len(rows)
        )

    def merge(self, other: "Products") -> "Products":
        """Both together, exactly."""
        paired = zip(self.sums, other.sums, strict=True)
        return Products(tuple(tuple(a + b for a, b in zip(x, y, strict=True)) for x, y in paired), self.n + other.n)


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """Coefficients and standard errors in the columns' units; R² uncentred without an intercept; condition number."""

    coefficients: tuple[float, ...]
    errors: tuple[float, ...]
    residual_sd: float
    r_squared: float
    condition: float

    @property
    def ill_conditioned(self) -> bool:
        """Whether the answer depends on digits that a float64 does not hold."""
        return self.condition > LARGEST_CONDITION


def least_squares(state: Products, *, intercept: bool) -> LeastSquares:
    """Solve the normal equations exactly; the first column is the constant when there is an `intercept`.

    Raises NoAnswer `not_estimable` (columns that are sums of each other), `too_few`.
    """
    k = len(state.sums) - 1
    if state.n <= k:
        raise NoAnswer("too_few", f"{state.n} rows cannot carry {k} coefficients and a scatter.", n=state.n)
    left = [list(row[:k]) + [Fraction(int(i == j)) for j in range(k)] for i, row in enumerate(state.sums[:k])]
    inverse = _invert(left, k)
    right = [row[k] for row in state.sums[:k]]
    beta = [sum((a * b for a, b in zip(row, right, strict=True)), Fraction(0)) for row in inverse]
    spare = state.sums[k][k] - sum((a * b for a, b in zip(beta, right, strict=True)), Fraction(0))
    spread = spare / (state.n - k)
    whole = state.sums[k][k] - (right[0] ** 2 / state.n if intercept else 0)
    errors = tuple(root(spread * inverse[i][i]) for i in range(k))
    if whole == 0:
        raise NoAnswer("no_variation", "The response does not vary.")
    return LeastSquares(
        tuple(float(value) for value in beta),
        errors,
        root(spread),
        float(1 - spare / whole),
        _condition(state, intercept),
    )


def _invert(rows: list[list[Fraction]], k: int) -> list[list[Fraction]]:
    """Gauss-Jordan on rationals; a zero pivot means an aliased column."""
    for step in range(k):
        pivot = next((row for row in range(step, k) if rows[row][step] != 0), None)
        if pivot is None:
            raise NoAnswer("not_estimable", f"Column {step + 1} is a sum of the columns before it.", column=step)
        rows[step], rows[pivot] = rows[pivot], rows[step]
        size = rows[step][step]
        rows[step] = [value / size for value in rows[step]]
        for row in range(k):
            if row != step and rows[row][step] != 0:
                times = rows[row][step]
                rows[row] = [a - times * b for a, b in zip(rows[row], rows[step], strict=True)]
    return [row[k:] for row in rows]


def _condition(state: Products, intercept: bool) -> float:
    """Condition number of the centred columns scaled to unit length (statistics a.7)."""
    k = len(state.sums) - 1
    start = 1 if intercept else 0
    if k <= start:
        return 1.0
    gram: Array = np.empty((k - start, k - start))
    for i in range(start, k):
        for j in range(start, k):
            centre = state.sums[0][i] * state.sums[0][j] / state.sums[0][0] if intercept else 0
            gram[i - start, j - start] = float(state.sums[i][j] - centre)
    size = np.sqrt(np.diag(gram))
    values = np.linalg.eigvalsh(gram / np.outer(size, size))
    return math.sqrt(float(values[-1]) / float(values[0])) if values[0] > 0 else math.inf
