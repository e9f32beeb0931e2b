"""The profiled (restricted) likelihood of a linear mixed model, evaluated from cross-products only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.blocks import BlockProducts, split
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.elimination import Factor, Gram

Method = Literal["reml", "ml"]
LARGEST_CONDITION = 1e10
"""Above this condition number of the scaled fixed part the digits are noise (statistics a.7)."""
KEPT = 5
"""Factors of the largest family that are kept while the other ratios move."""
MOST_LOST = 1e-6
"""Largest relative error of a sum of squares that an offset may leave."""
ALIASED_BELOW = 1e-11
"""A fixed column whose scaled remainder is smaller than this share is a sum of the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One evaluation at ratios t = s_j/s: the factors that every answer is read from (statistics a.2)."""

    ratios: Mapping[str, float]
    factor: Factor
    solved: Array
    lower: Array
    c: Array
    r2: float
    log_l: float
    log_x: float

    def deviance(self, n: int, p: int, method: Method) -> float:
        """-2 log likelihood with s² profiled out."""
        dof = n - p if method == "reml" else n
        extra = self.log_x if method == "reml" else 0.0
        return self.log_l + extra + dof * (1.0 + math.log(2.0 * math.pi * self.r2 / dof))

    def deviance_at(self, variance: float, n: int, p: int, method: Method) -> float:
        """-2 log likelihood at a given residual variance s²."""
        dof = n - p if method == "reml" else n
        extra = self.log_x if method == "reml" else 0.0
        return self.log_l + extra + dof * math.log(2.0 * math.pi * variance) + self.r2 / variance


class Problem:
    """One response, fixed columns and families of random columns, centred and scaled for solving (statistics a.7).

    The fixed columns are turned by `turn` (p, p), b = turn @ b_scaled; the response by y - origin * 1.
    """

    def __init__(
        self,
        cross: CrossProducts | BlockProducts,
        response: str,
        fixed: Sequence[str],
        families: Mapping[str, Sequence[str]],
        intercept: str = "1",
    ) -> None:
        blocks, self.first, self.others = split(cross, families)
        self.families = {name: tuple(families[name]) for name in (self.first, *self.others)}
        self.families[self.first] = blocks.levels
        self.fixed, self.response, self.n, self.p = tuple(fixed), response, blocks.rest.n, len(fixed)
        if self.n <= self.p:
            raise NoAnswer("too_few", f"{self.n} rows cannot carry {self.p} fixed columns and a scatter.", n=self.n)
        self.one = self.fixed.index(intercept) if intercept in self.fixed else -1
        self._spread = [level for name in self.others for level in self.families[name]]
        self._size = [len(self.families[name]) for name in self.others]
        beside, inside = blocks.columns([*self._spread, *fixed, response])
        self.turn, self.origin = _centring(inside[len(self._spread) :, len(self._spread) :], fixed, intercept)
        whole = np.eye(len(inside))
        at = len(self._spread)
        whole[at:-1, at:-1] = self.turn
        if self.one >= 0:
            whole[at + self.one, -1] = -self.origin
        self._beside, self._inside = beside @ whole, whole.T @ inside @ whole
        _check_digits(inside[at:, at:], self._inside[at:, at:], self.turn, (*fixed, response))
        self.gram = Gram.of(blocks.gram)
        self._kept: dict[float, tuple[Factor, Array, Array]] = {}
        self.condition = self._check_fixed()

    def _check_fixed(self) -> float:
        """Condition number of the scaled fixed columns; raises `not_estimable` or `ill_conditioned`."""
        at, end = len(self._spread), len(self._inside) - 1
        normal = self._inside[at:end, at:end]
        size = np.sqrt(np.maximum(np.diag(normal), 0.0))
        empty = [name for name, length in zip(self.fixed, size, strict=True) if length == 0.0]
        if empty:
            raise NoAnswer("not_estimable", f"No row varies in {', '.join(empty)}.", columns=empty)
        values = np.linalg.eigvalsh(normal / np.outer(size, size)) if self.p else np.ones(1)
        if values[0] < ALIASED_BELOW * values[-1]:
            raise NoAnswer(
                "not_estimable",
                f"The fixed columns {', '.join(self.fixed)} are sums of each other.",
                columns=self.fixed,
            )
        condition = float(math.sqrt(values[-1] / values[0]))
        if condition > LARGEST_CONDITION:
            raise NoAnswer("ill_conditioned", f"The fixed columns have condition number {condition:.1e}.")
        return condition

    def evaluate(self, ratios: Mapping[str, float]) -> Evaluation:
        """Factor once at these ratios; raises NoAnswer `no_variation` when nothing scatters around the fit."""
        first = ratios[self.first]
        spread = np.repeat([ratios[name] for name in self.others], self._size) if self.others else np.zeros(0)
        stretch = np.concatenate([spread, np.ones(self.p + 1)])
        factor, plain, product = self._eliminated(first)
        schur = (self._inside - first * first * product) * np.outer(stretch, stretch)
        schur[np.arange(len(spread)), np.arange(len(spread))] += 1.0
        solved = first * plain * stretch
        k = len(schur) - 1
        try:
            lower = cholesky(schur[:k, :k], lower=True)
        except LinAlgError:
            raise NoAnswer("ill_conditioned", "The normal equations lost their digits.") from None
        c = solve_triangular(lower, schur[:k, k], lower=True) if k else np.zeros(0)
        r2 = float(schur[k, k] - c @ c)
        if r2 <= 1e-13 * max(self._inside[k, k], 1e-300):
            raise NoAnswer("no_variation", f"Nothing scatters around the fit of {self.response}.")
        logs = 2.0 * np.log(np.diag(lower))
        at = len(spread)
        return Evaluation(
            dict(ratios), factor, solved, lower, c, r2, factor.log_determinant + float(logs[:at].sum()),
            float(logs[at:].sum()) + self._log_turn(),
        )  # fmt: skip

    def _eliminated(self, first: float) -> tuple[Factor, Array, Array]:
        """Factor, (I + t²Z'Z)⁻¹Z'B and its product with Z'B; the last few ratios are kept, they come in groups."""
        if first not in self._kept:
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            factor = Factor(self.gram, first)
            plain = factor.solve(self._beside)
            self._kept[first] = factor, plain, self._beside.T @ plain
        return self._kept[first]

    def _log_turn(self) -> float:
        return -2.0 * float(np.linalg.slogdet(self.turn)[1]) if self.p else 0.0

    def coefficients(self, found: Evaluation) -> tuple[Array, Array]:
        """Scaled solution (m + p,) and the inverse of its normal matrix, over s²."""
        k = len(found.lower)
        scaled = solve_triangular(found.lower.T, found.c) if k else np.zeros(0)
        return scaled, np.asarray(cho_solve((found.lower, True), np.eye(k))) if k else np.zeros((0, 0))


def _check_digits(raw: Array, centred: Array, turn: Array, names: Sequence[str]) -> None:
    """Raises `ill_conditioned` where an offset has eaten the digits of a sum of squares (statistics 0.2)."""
    size = np.append(1.0 / np.diag(turn) if len(turn) else [], 1.0)
    left = np.diag(centred) * size**2
    lost = np.finfo(np.float64).eps * np.diag(raw)
    for name, value, error in zip(names, left, lost, strict=True):
        if 8.0 * error < value < error / MOST_LOST:
            raise NoAnswer("ill_conditioned", f"The offset of {name} has eaten its digits: sum it from a fixed origin.")


def _centring(normal: Array, fixed: Sequence[str], intercept: str) -> tuple[Array, float]:
    """`turn` (p, p) that centres the columns on the intercept and scales them to unit length; the response's mean."""
    p = len(fixed)
    turn = np.eye(p)
    origin = 0.0
    if intercept in fixed:
        one = list(fixed).index(intercept)
        count = normal[one, one]
        if count > 0:
            turn[one, :] -= normal[one, :p] / count
            turn[one, one] = 1.0
            origin = float(normal[one, p] / count)
    middle = turn.T @ normal[:p, :p] @ turn
    size = np.sqrt(np.maximum(np.diag(middle), 0.0))
    bare = np.sqrt(np.maximum(np.diag(normal)[:p], 0.0))
    flat = size <= 1e-12 * bare
    return turn / np.where(flat, 1.0, np.where(size > 0, size, 1.0)), origin
