"""What the data can tell at all: rank, estimable contrasts, aliased factors and islands, from cross-products alone."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.cross import CrossProducts

RANK_BELOW = 1e-10
"""Eigenvalues of the scaled cross-products below this share of the largest count as zero."""
ESTIMABLE_BELOW = 1e-7
"""A contrast whose relative distance from the row space is smaller is estimable."""


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """X'X by its generalized inverse: `beta` (k,) one solution, `inverse` (k, k), `shadow` (k, k) = (X'X)⁺ X'X."""

    names: tuple[str, ...]
    beta: Array
    inverse: Array
    shadow: Array
    size: Array
    rank: int
    condition: float
    residual_ss: float
    n: int

    @property
    def dof(self) -> int:
        """Residual degrees of freedom."""
        return self.n - self.rank

    @property
    def variance(self) -> float:
        """Residual variance; raises NoAnswer `too_few` without degrees of freedom."""
        if self.dof <= 0:
            raise NoAnswer("too_few", f"{self.n} rows for {self.rank} estimable effects leave nothing to judge by.")
        return max(self.residual_ss, 0.0) / self.dof


@dataclass(frozen=True, slots=True)
class Contrast:
    """One asked contrast: `value` and `se` in the unit of y, or None where the data cannot tell."""

    estimable: bool
    value: float | None
    se: float | None


def normal(cross: CrossProducts, response: str, columns: Sequence[str]) -> Normal:
    """Least squares by generalized inverse on columns scaled to unit length (statistics a.7, g.3)."""
    picked = cross.select([*columns, response])
    gram, right = picked.matrix[:-1, :-1], picked.matrix[:-1, -1]
    size = np.sqrt(np.maximum(np.diag(gram), 0.0))
    size = np.where(size > 0.0, size, 1.0)
    scaled = gram / np.outer(size, size)
    values, vectors = np.linalg.eigh(scaled)
    kept = values > RANK_BELOW * max(float(values[-1]), 1e-300)
    if not kept.any():
        raise NoAnswer("not_estimable", "No column of the model varies.")
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    beta = inverse @ (right / size)
    spare = float(picked.matrix[-1, -1] - (right / size) @ beta)
    condition = math.sqrt(float(values[kept][-1] / values[kept][0]))
    shadow = vectors[:, kept] @ vectors[:, kept].T
    return Normal(tuple(columns), beta, inverse, shadow, size, int(kept.sum()), condition, spare, cross.n)


def contrast(solved: Normal, weights: Mapping[str, float], *, variance: float | None = None) -> Contrast:
    """c'b with its standard error; estimable iff c = c (X'X)⁺ X'X."""
    unknown = [name for name in weights if name not in solved.names]
    if unknown:
        raise NoAnswer("bad_input", f"The model has no column {', '.join(unknown)}.")
    row = np.array([weights.get(name, 0.0) for name in solved.names]) / solved.size
    length = float(np.linalg.norm(row))
    if length == 0.0 or float(np.linalg.norm(row - row @ solved.shadow)) > ESTIMABLE_BELOW * length:
        return Contrast(False, None, None)
    spread = solved.variance if variance is None else variance
    return Contrast(True, float(row @ solved.beta), math.sqrt(max(spread * float(row @ solved.inverse @ row), 0.0)))


def information_gain(solved: Normal, row: Mapping[str, float]) -> float:
    """log(1 + z'M⁻¹z) of one more test with this row: the next-best test is the largest (D-optimality, g.5).

    A row outside what is estimable now connects the design and gains without bound: infinity.
    """
    z = np.array([row.get(name, 0.0) for name in solved.names]) / solved.size
    if float(np.linalg.norm(z - z @ solved.shadow)) > ESTIMABLE_BELOW * float(np.linalg.norm(z)):
        return math.inf
    return math.log1p(float(z @ solved.inverse @ z))


def parse(text: str) -> dict[str, float]:
    """`a - b`, `a - 0.5*b - 0.5*c` as weights by name; raises NoAnswer `bad_input` on anything else."""
    weights: dict[str, float] = {}
    for sign, term in re.findall(r"(^|\s[+-]\s|^-)\s*([^\s].*?)(?=\s[+-]\s|$)", text.strip()):
        number, star, name = term.rpartition("*")
        try:
            size = float(number) if star else 1.0
        except ValueError:
            raise NoAnswer("bad_input", f"{text!r} is not a sum of named effects.") from None
        weights[name.strip()] = weights.get(name.strip(), 0.0) + (-size if "-" in sign else size)
    return weights


def canonical_correlations(cross: CrossProducts, left: Sequence[str], right: Sequence[str], one: str = "1") -> Array:
    """Correlations between the spaces of two factors, the common mean taken out; 1 means aliased (Hotelling 1936)."""
    picked = cross.select([one, *left, *right])
    gram = picked.matrix[1:, 1:] - np.outer(picked.matrix[1:, 0], picked.matrix[0, 1:]) / picked.matrix[0, 0]
    k = len(left)
    first, second = _root(gram[:k, :k]), _root(gram[k:, k:])
    found = np.linalg.svd(first.T @ gram[:k, k:] @ second, compute_uv=False)
    return np.asarray(np.minimum(found[: min(first.shape[1], second.shape[1])], 1.0), dtype=np.float64)


def _root(gram: Array) -> Array:
    """Columns that turn a space into orthonormal coordinates (pseudo-inverse square root)."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > RANK_BELOW * max(float(values[-1]), 1e-300)
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def islands(cross: CrossProducts, left: Sequence[str], right: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Connected blocks of two factors: levels on different islands cannot be compared (statistics g.3)."""
    place = {name: number for number, name in enumerate(cross.names)}
    parent = {name: name for name in (*left, *right)}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for one in left:
        row = cross.matrix[place[one]]
        for other in right:
            if row[place[other]] != 0.0:
                parent[root(one)] = root(other)
    blocks: dict[str, set[str]] = {}
    for name in parent:
        blocks.setdefault(root(name), set()).add(name)
    return tuple(sorted((frozenset(block) for block in blocks.values()), key=lambda block: sorted(block)))
