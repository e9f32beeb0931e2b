"""Lots as fixed effects at the reference: estimates, covariance, and which of them the data can tell at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from projections.inference.lots.select import Matrix, Merged
from projections.mathematics.mixed.estimable import contrast, islands, normal


@dataclass(frozen=True, slots=True)
class Solved:
    """Least squares with lots fixed: `estimates` and `covariance` by asked contrast; `estimable` says which count.

    `variance` is the residual variance of a motor's mean result in unit², `dof` its degrees of freedom.
    """

    estimates: Matrix
    covariance: Matrix
    estimable: tuple[bool, ...]
    variance: float
    dof: float
    condition: float


def solve(merged: Merged, columns: Sequence[str], contrasts: Sequence[Mapping[str, float]]) -> Solved:
    """Contrasts c'b of y on these columns, from cross-products only; estimable iff c = c (X'X)⁺ X'X (g.3).

    Raises NoAnswer `too_few` without residual degrees of freedom.
    """
    solved = normal(merged.cross, "y", columns)
    asked = np.array([[weights.get(name, 0.0) for name in columns] for weights in contrasts]) / solved.size
    return Solved(
        asked @ solved.beta,
        solved.variance * (asked @ solved.inverse @ asked.T),
        tuple(contrast(solved, weights).estimable for weights in contrasts),
        solved.variance,
        float(solved.dof),
        solved.condition,
    )


def connected(merged: Merged, lots: Sequence[str], benches: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Islands of lots and benches that share results, the one with most motors first (statistics.md g.3)."""
    index = {name: number for number, name in enumerate(merged.names)}

    def motors(island: frozenset[str]) -> float:
        return float(sum(merged.matrix[index[name], index["1"]] for name in island if name.startswith("lot:")))

    found = islands(merged.cross, lots, benches)
    return tuple(sorted(found, key=lambda island: (-motors(island), sorted(island))))
