"""Lots as fixed effects: what each lot's own motors say, with error, and which cannot be told apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.estimable import ESTIMABLE_BELOW, Normal, normal

Against = Literal["all", "others"]


@dataclass(frozen=True, slots=True, eq=False)
class Unshrunken:
    """Effects of q levels against the mean of all or of the other levels, unit of y; None where not estimable.

    `covariance` (e, e) is over the estimable levels in order; `dof` belongs to `residual` (unit²).
    """

    levels: tuple[str, ...]
    value: tuple[float | None, ...]
    sd: tuple[float | None, ...]
    estimable: tuple[bool, ...]
    covariance: Array
    residual: float
    dof: int
    condition: float


def unshrunken(
    cross: CrossProducts,
    response: str,
    fixed: Sequence[str],
    family: Sequence[str],
    *,
    against: Against = "all",
    random: Mapping[str, tuple[Sequence[str], float]] | None = None,
    residual: float | None = None,
) -> Unshrunken:
    """Lots fixed, the other families random at held ratios t = s_j/s (`random`: levels and t) or left out.

    Levels on other islands than the largest one are left out of the mean they are held against and are not estimable.
    `residual` replaces the least-squares variance, e.g. by the REML one. Raises NoAnswer `too_few_levels`, `too_few`.
    """
    if len(family) < 2:
        raise NoAnswer("too_few_levels", "One lot cannot be held against others.")
    columns = [*family, *fixed]
    solved = normal(_absorbed(cross, response, columns, random or {}), response, columns)
    own = _estimable_block(solved, len(family))
    rows = np.array([_against(len(family), own, level, against) for level in range(len(family))])
    wide = np.hstack([rows, np.zeros((len(rows), len(fixed)))]) / solved.size
    off = np.linalg.norm(wide - wide @ solved.shadow, axis=1) > ESTIMABLE_BELOW * np.linalg.norm(wide, axis=1)
    told = tuple(bool(level in own and not off[level]) for level in range(len(family)))
    spread = solved.variance if residual is None else residual
    kept = wide[[level for level in range(len(family)) if told[level]]]
    values, covariance = kept @ solved.beta, spread * kept @ solved.inverse @ kept.T
    found, errors = iter(values.tolist()), iter(np.sqrt(np.maximum(np.diag(covariance), 0.0)).tolist())
    return Unshrunken(
        tuple(family), tuple(next(found) if flag else None for flag in told),
        tuple(next(errors) if flag else None for flag in told), told, np.asarray(covariance), spread, solved.dof,
        solved.condition,
    )  # fmt: skip


def _estimable_block(solved: Normal, count: int) -> tuple[int, ...]:
    """The largest set of levels whose differences are all estimable."""
    blocks: list[list[int]] = []
    for level in range(count):
        for block in blocks:
            row = np.zeros(len(solved.names))
            row[level], row[block[0]] = 1.0 / solved.size[level], -1.0 / solved.size[block[0]]
            if np.linalg.norm(row - row @ solved.shadow) <= ESTIMABLE_BELOW * math.sqrt(float(row @ row)):
                block.append(level)
                break
        else:
            blocks.append([level])
    best = max(blocks, key=len)
    return tuple(best) if len(best) > 1 else ()


def _against(count: int, own: Sequence[int], level: int, against: Against) -> Array:
    row = np.zeros(count)
    others = [other for other in own if against == "all" or other != level]
    if others:
        row[others] = -1.0 / len(others)
    row[level] += 1.0
    return row


def _absorbed(
    cross: CrossProducts, response: str, columns: Sequence[str], random: Mapping[str, tuple[Sequence[str], float]]
) -> CrossProducts:
    """Other random families taken out at their ratios by a Schur complement."""
    held = [(level, ratio) for levels, ratio in random.values() for level in levels if ratio > 0.0]
    if not held:
        return cross
    names = [level for level, _ in held]
    t = np.array([ratio for _, ratio in held])
    picked = cross.select([*names, *columns, response])
    k = len(names)
    inner = np.eye(k) + picked.matrix[:k, :k] * np.outer(t, t)
    beside = t[:, None] * picked.matrix[:k, k:]
    rest = picked.matrix[k:, k:] - beside.T @ np.linalg.solve(inner, beside)
    return CrossProducts((*columns, response), rest, cross.n)
