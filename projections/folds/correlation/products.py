"""Products of every two columns, summed over the motors of a batch: by columns in numpy, exact in 64-bit integers."""

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement

import numpy as np

from projections.folds.correlation.rows import CrossSum

Columns = Mapping[str, int]
"""The columns of one motor's tests by name; see CrossSum."""
EXACT = 2**20
"""Up to here the products of 2^22 motors fit 64 bits; a motor with a larger value is summed in Python's integers."""
FEW = 8
"""For fewer motors the arrays cost more than they save."""
Pair = tuple[str, str, str]


class Products:
    """Collects columns, and sums their products by (group, column a, column b), a ≤ b in text order."""

    def __init__(self) -> None:
        self._widths: dict[int, list[tuple[str, list[str], list[int], int]]] = {}
        self._sums: dict[Pair, list[int]] = {}

    def add(self, group: str, columns: Columns, sign: int) -> None:
        """Add the products of a motor's columns (sign 1), or take them away (−1)."""
        names = sorted(columns)
        values = [columns[name] for name in names]
        if max(values) < EXACT and min(values) > -EXACT:
            self._widths.setdefault(len(names), []).append((group, names, values, sign))
        else:
            self._add_exactly(group, names, values, sign)

    def sums(self) -> Iterator[CrossSum]:
        """The sums that are not zero; `terms` counts the motors."""
        for width, motors in self._widths.items():
            if len(motors) < FEW:
                for motor in motors:
                    self._add_exactly(*motor)
            else:
                self._add_arrays(width, motors)
        self._widths.clear()
        for (group, a, b), (value, terms) in self._sums.items():
            if value or terms:
                yield CrossSum(group, a, b, value, terms)

    def _add_exactly(self, group: str, names: list[str], values: list[int], sign: int) -> None:
        for i, j in combinations_with_replacement(range(len(names)), 2):
            self._count((group, names[i], names[j]), sign * values[i] * values[j], sign)

    def _count(self, pair: Pair, value: int, terms: int) -> None:
        there = self._sums.setdefault(pair, [0, 0])
        there[0] += value
        there[1] += terms

    def _add_arrays(self, width: int, motors: list[tuple[str, list[str], list[int], int]]) -> None:
        """Motors with equally many columns: all pairs of columns at once, then sums over equal pairs."""
        words: dict[str, int] = {}
        codes = np.array([[words.setdefault(word, len(words)) for word in motor[1]] for motor in motors], np.int64)
        groups = np.array([words.setdefault(motor[0], len(words)) for motor in motors], np.int64)
        values = np.array([motor[2] for motor in motors], np.int64)
        signs = np.array([motor[3] for motor in motors], np.int64)
        first, second = np.triu_indices(width)
        size = len(words)
        pairs = (groups[:, None] * size + codes[:, first]) * size + codes[:, second]
        products = values[:, first] * values[:, second] * signs[:, None]
        order = np.argsort(pairs, axis=None, kind="stable")
        ordered = pairs.ravel()[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        totals = np.add.reduceat(products.ravel()[order], starts)
        terms = np.add.reduceat(np.repeat(signs, len(first))[order], starts)
        names = list(words)
        for pair, total, count in zip(ordered[starts].tolist(), totals.tolist(), terms.tolist(), strict=True):
            rest, b = divmod(pair, size)
            group, a = divmod(rest, size)
            self._count((names[group], names[a], names[b]), total, count)
