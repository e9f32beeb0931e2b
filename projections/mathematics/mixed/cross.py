"""The state of a linear model: sums of products over named columns, which merge, subtract, select and rescale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from projections.mathematics.answers import Array, NoAnswer, finite

EXACT_BELOW = 2.0**53
"""Integers below this are exact in float64, and so are their sums (statistics 0.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossProducts:
    """`matrix` (k, k) = sum over `n` rows of the outer product of the columns `names`; unit: products of their ticks.

    Sums of integers below 2**53 are exact, so that merging in any order gives the same bits (statistics 0.1, a.1).
    """

    names: tuple[str, ...]
    matrix: Array
    n: int

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.names), len(self.names)) or len(set(self.names)) != len(self.names):
            raise NoAnswer("bad_input", "Cross-products need one row and one column for each of their different names.")

    @classmethod
    def of_rows(cls, names: Sequence[str], rows: ArrayLike) -> "CrossProducts":
        """From rows (n, k) of ticks; raises NoAnswer `bad_input` on NaN."""
        table = finite("rows", rows).reshape(-1, len(names))
        return cls(tuple(names), table.T @ table, len(table))

    @property
    def exact(self) -> bool:
        """Whether every sum is an integer that float64 holds exactly."""
        return bool((self.matrix == np.rint(self.matrix)).all() and (np.abs(self.matrix) < EXACT_BELOW).all())

    def merge(self, other: "CrossProducts") -> "CrossProducts":
        """Both together; a column that one side has not seen counts as zero there. Names end up sorted."""
        return self._combine(other, 1.0)

    def subtract(self, other: "CrossProducts") -> "CrossProducts":
        """This state without the rows of `other`: the exact inverse of merge, up to columns that are all zero."""
        return self._combine(other, -1.0)

    def _combine(self, other: "CrossProducts", sign: float) -> "CrossProducts":
        names = tuple(sorted({*self.names, *other.names}))
        total = np.zeros((len(names), len(names)))
        for part, factor in ((self, 1.0), (other, sign)):
            place = [names.index(name) for name in part.names]
            total[np.ix_(place, place)] += factor * part.matrix
        n = self.n + (other.n if sign > 0 else -other.n)
        if n < 0:
            raise NoAnswer("bad_input", "More rows were taken out than had been put in.")
        return CrossProducts(names, total, n)

    def select(self, names: Sequence[str]) -> "CrossProducts":
        """The sub-model of these columns, in this order."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise NoAnswer("bad_input", f"No sums were kept for {', '.join(missing)}.")
        place = [self.names.index(name) for name in names]
        return CrossProducts(tuple(names), self.matrix[np.ix_(place, place)], self.n)

    def scale(self, factors: Mapping[str, float]) -> "CrossProducts":
        """Columns multiplied by a factor (ticks to units, piece counts to fractions); others stay."""
        size = np.array([factors.get(name, 1.0) for name in self.names])
        return CrossProducts(self.names, self.matrix * np.outer(size, size), self.n)

    def weigh(self, weight: float) -> "CrossProducts":
        """All sums times one weight; `n` stays the count of rows."""
        return CrossProducts(self.names, self.matrix * weight, self.n)

    def map(self, columns: Mapping[str, Mapping[str, float]]) -> "CrossProducts":
        """New columns as linear maps of old ones, e.g. alloy shares Z A or lot covariates Z C (statistics 0.3)."""
        turn = np.zeros((len(self.names), len(columns)))
        place = {name: number for number, name in enumerate(self.names)}
        for column, parts in enumerate(columns.values()):
            for name, weight in parts.items():
                turn[place[name], column] = weight
        return CrossProducts(tuple(columns), turn.T @ self.matrix @ turn, self.n)
