"""Lots as random effects by REML: shrunken effects that rank lots, with Henderson's prediction error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from projections.inference.lots.select import Matrix, Merged

LARGEST_RATIO = 100.0
"""Search bound of s_lot/s: a lot scatter a hundred times the motors' would be a unit error."""


@dataclass(frozen=True, slots=True)
class Shrunken:
    """By lot column: the BLUP relative to the mean of all lots, and its PEV standard error; the two variances."""

    effects: Mapping[str, tuple[float, float]]
    lot_variance: float | None
    residual_variance: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Blocks:
    zz: Matrix
    zx: Matrix
    xx: Matrix
    zy: Matrix
    xy: Matrix
    yy: float
    n: int


def shrunken(merged: Merged, lots: Sequence[str], benches: Sequence[str], covariate: bool) -> Shrunken:
    """One random effect per lot on its share of pieces, benches fixed (statistics.md a.2, a.3).

    The boundary s_lot = 0 is tested explicitly: it is a legitimate answer.
    """
    index = {name: place for place, name in enumerate(merged.names)}
    z = [index[name] for name in lots]
    x = [index[name] for name in (*benches, *(["dT"] if covariate else []))]
    y = index["y"]
    w = merged.matrix
    size = np.sqrt(np.clip(np.diag(w)[x], 1e-300, None))
    blocks = _Blocks(
        w[np.ix_(z, z)], w[np.ix_(z, x)] / size, w[np.ix_(x, x)] / np.outer(size, size),
        w[z, y], w[x, y] / size, float(w[y, y]), merged.motors,
    )  # fmt: skip
    if np.linalg.cond(blocks.xx) > 1e10 or merged.motors <= len(x) + 1:
        return Shrunken({}, None, None, ("The benches cannot be told apart; lots are not ranked.",))
    ratio = _best_ratio(blocks)
    effects, residual = _effects(blocks, ratio)
    return Shrunken(dict(zip(lots, effects, strict=True)), residual * ratio * ratio, residual)


def _best_ratio(blocks: _Blocks) -> float:
    found = optimize.minimize_scalar(
        lambda ratio: _criterion(blocks, ratio)[0], bounds=(0.0, LARGEST_RATIO), method="bounded",
        options={"xatol": 1e-8, "maxiter": 200},
    )  # fmt: skip
    near = optimize.minimize_scalar(
        lambda ratio: _criterion(blocks, ratio)[0], bounds=(0.0, 5.0), method="bounded",
        options={"xatol": 1e-8, "maxiter": 200},
    )  # fmt: skip
    candidates = [0.0, float(found.x), float(near.x)]
    return min(candidates, key=lambda ratio: _criterion(blocks, ratio)[0])


def _criterion(blocks: _Blocks, ratio: float) -> tuple[float, Matrix, Matrix, Matrix, Matrix, Matrix, float]:
    """−2 log REML likelihood at t = s_lot/s, with the factors that the effects need."""
    q, p = blocks.zx.shape
    lower = _cholesky(ratio * ratio * blocks.zz + np.eye(q))
    c_u: Matrix = linalg.solve_triangular(lower, ratio * blocks.zy, lower=True)
    r: Matrix = linalg.solve_triangular(lower, ratio * blocks.zx, lower=True)
    lower_x = _cholesky(blocks.xx - r.T @ r)
    c_b: Matrix = linalg.solve_triangular(lower_x, blocks.xy - r.T @ c_u, lower=True)
    residual = max(blocks.yy - float(c_u @ c_u) - float(c_b @ c_b), 1e-300)
    free = blocks.n - p
    value = 2.0 * float(np.log(np.diag(lower)).sum()) + 2.0 * float(np.log(np.diag(lower_x)).sum())
    value += free * (1.0 + math.log(2.0 * math.pi * residual / free))
    return float(value), lower, c_u, r, lower_x, c_b, residual / free


def _cholesky(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)


def _effects(blocks: _Blocks, ratio: float) -> tuple[list[tuple[float, float]], float]:
    _, lower, c_u, r, lower_x, c_b, residual = _criterion(blocks, ratio)
    fixed = linalg.solve_triangular(lower_x.T, c_b, lower=False)
    effect = ratio * linalg.solve_triangular(lower.T, c_u - r @ fixed, lower=False)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    conditional = residual * ratio * ratio * (inverse.T @ inverse)
    g = ratio * linalg.solve_triangular(lower.T, r, lower=False)
    half = linalg.solve_triangular(lower_x, g.T, lower=True)
    pev = conditional + residual * (half.T @ half)
    errors = np.sqrt(np.clip(np.diag(pev), 0.0, None))
    return [(float(value), float(error)) for value, error in zip(effect, errors, strict=True)], residual
