"""Lots as fixed effects at the reference: estimates, covariance, and which of them the data can tell at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from projections.inference.lots.select import Matrix, Merged

RANK_TOLERANCE = 1e-9
"""Eigenvalues of the scaled cross-products below this share of the largest count as zero."""


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
    """Contrasts c'b of y on these columns, from cross-products only (statistics.md a.2, g.3).

    A contrast is estimable iff c = c (X'X)⁺ X'X. Columns are scaled to unit length first (a.7).
    """
    place = [merged.names.index(name) for name in columns]
    y = merged.names.index("y")
    normal = merged.matrix[np.ix_(place, place)]
    right = merged.matrix[place, y]
    size = np.sqrt(np.clip(np.diag(normal), 1e-300, None))
    inverse, rank, condition = _pseudo_inverse(normal / np.outer(size, size))
    asked = np.zeros((len(contrasts), len(columns)))
    for row, contrast in enumerate(contrasts):
        for name, weight in contrast.items():
            asked[row, columns.index(name)] = weight
    scaled = asked / size
    beta = inverse @ (right / size)
    shadow = scaled @ inverse @ (normal / np.outer(size, size))
    near = np.linalg.norm(scaled - shadow, axis=1) <= 1e-6 * np.maximum(np.linalg.norm(scaled, axis=1), 1e-300)
    dof = float(merged.motors - rank)
    residual = float(merged.matrix[y, y] - (right / size) @ beta)
    variance = max(residual, 0.0) / dof if dof > 0 else float("nan")
    covariance = variance * (scaled @ inverse @ scaled.T)
    return Solved(scaled @ beta, covariance, tuple(bool(flag) for flag in near), variance, dof, condition)


def _pseudo_inverse(scaled: Matrix) -> tuple[Matrix, int, float]:
    values, vectors = np.linalg.eigh(scaled)
    kept = values > RANK_TOLERANCE * max(float(values[-1]), 1e-300)
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inverse, int(kept.sum()), float(values[kept][-1] / values[kept][0])


def connected(merged: Merged, lots: Sequence[str], benches: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Islands of lots and benches that share results, the one with most motors first (statistics.md g.3)."""
    index = {name: number for number, name in enumerate(merged.names)}
    islands: list[set[str]] = []
    for bench in benches:
        island = {bench} | {lot for lot in lots if merged.matrix[index[lot], index[bench]] > 0}
        touching = [other for other in islands if other & island]
        islands = [other for other in islands if not other & island] + [island.union(*touching)]
    one = index["1"]

    def motors(island: set[str]) -> float:
        return float(sum(merged.matrix[index[name], one] for name in island if name.startswith("lot:")))

    return tuple(frozenset(island) for island in sorted(islands, key=lambda item: (-motors(item), sorted(item))))
