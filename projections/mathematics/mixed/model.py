"""Fitting a mixed model on cross-products: variances, fixed effects, and every level's effect with its errors."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.blocks import BlockProducts
from projections.mathematics.mixed.criterion import Evaluation, Method, Problem
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.optimum import minimise

LARGEST_COVARIANCE = 3000
"""Covariances of all levels are written out up to this many levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """The levels of one family, shrunken (BLUP): value (q,), conditional and prediction-error sd (q,), unit of y.

    `pev_sd` carries the uncertainty of the fixed effects and is the one to decide with (statistics a.3).
    """

    levels: tuple[str, ...]
    value: Array
    cond_sd: Array
    pev_sd: Array
    prior_sd: float

    def say_nothing(self, above: float = 0.8) -> tuple[str, ...]:
        """Levels of which the data say nothing: PEV over prior variance above 0.8 (statistics g.3)."""
        if self.prior_sd == 0.0:
            return self.levels
        ratio = (self.pev_sd / self.prior_sd) ** 2
        return tuple(level for level, part in zip(self.levels, ratio, strict=True) if part > above)

    def effective_motors(self, residual: float) -> Array:
        """1/PEV - 1/s_lot² in units of 1/s²: how many motors of its own each level is worth (statistics g.6)."""
        if self.prior_sd == 0.0:
            return np.zeros(len(self.levels))
        return np.asarray(np.maximum(residual / self.pev_sd**2 - residual / self.prior_sd**2, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit:
    """A fit: variances in unit² of y by family, `residual` variance, fixed effects with covariance (p, p), effects."""

    method: Method
    n: int
    criterion: float
    variances: dict[str, float]
    residual: float
    ratios: dict[str, float]
    fixed: dict[str, float]
    fixed_covariance: Array
    effects: dict[str, Effects]
    condition: float
    problem: Problem
    found: Evaluation

    def contrast(self, weights: Mapping[str, float]) -> tuple[float, float]:
        """Estimate and standard error of a sum of fixed effects."""
        row = np.array([weights.get(name, 0.0) for name in self.fixed])
        value = float(row @ np.array(list(self.fixed.values())))
        return value, math.sqrt(max(float(row @ self.fixed_covariance @ row), 0.0))

    def difference(self, family: str, better: str, worse: str) -> tuple[float, float]:
        """Shrunken difference of two levels and the square root of its prediction error variance."""
        chosen = self.effects[family]
        row = np.zeros(len(chosen.levels))
        row[chosen.levels.index(better)], row[chosen.levels.index(worse)] = 1.0, -1.0
        cover = prediction_errors(self, family, row[:, None])
        return float(row @ chosen.value), math.sqrt(max(float(cover[0, 0]), 0.0))

    def covariance(self, family: str) -> Array:
        """Prediction error covariance (q, q) of one family's effects."""
        size = len(self.effects[family].levels)
        if size > LARGEST_COVARIANCE:
            raise NoAnswer("too_dense", f"The covariance of {size} levels is not written out; ask for contrasts.")
        return prediction_errors(self, family, np.eye(size))


def fit(
    cross: CrossProducts | BlockProducts,
    response: str,
    fixed: Sequence[str],
    families: Mapping[str, Sequence[str]],
    method: Method = "reml",
    *,
    ratios: Mapping[str, float] | None = None,
    intercept: str = "1",
) -> MixedFit:
    """Fit y = X b + sum_j Z_j u_j + e by REML or ML from cross-products (statistics a.2; Bates et al. 2015, section 3).

    `ratios` holds t_j = s_j/s fixed: the re-solve between scheduled fits (a.6). Raises NoAnswer `too_few`,
    `too_few_levels`, `not_estimable` (aliased fixed columns), `ill_conditioned`, `no_variation`, `bad_input`.
    """
    problem = Problem(cross, response, fixed, families, intercept)
    names = tuple(problem.families)
    if ratios is None:

        def criterion(t: Array) -> float:
            found = problem.evaluate(dict(zip(names, t.tolist(), strict=True)))
            return found.deviance(problem.n, problem.p, method)

        best, _ = minimise(criterion, len(names))
        ratios = dict(zip(names, best.tolist(), strict=True))
    return solve(problem, {name: float(ratios[name]) for name in names}, method)


def solve(problem: Problem, ratios: Mapping[str, float], method: Method, residual: float | None = None) -> MixedFit:
    """All answers at given ratios, from one factorization; `residual` (unit²) where more than these sums tell it."""
    found = problem.evaluate(ratios)
    if residual is None:
        residual = found.r2 / (problem.n - problem.p if method == "reml" else problem.n)
    scaled, inverse = problem.coefficients(found)
    at = len(scaled) - problem.p
    fixed = problem.turn @ scaled[at:]
    if problem.one >= 0:
        fixed[problem.one] += problem.origin
    covariance = residual * problem.turn @ inverse[at:, at:] @ problem.turn.T
    return MixedFit(
        method, problem.n, found.deviance(problem.n, problem.p, method),
        {name: ratio**2 * residual for name, ratio in ratios.items()}, residual, dict(ratios),
        dict(zip(problem.fixed, fixed.tolist(), strict=True)), covariance,
        _effects(problem, found, scaled, inverse, residual), problem.condition, problem, found,
    )  # fmt: skip


def _effects(problem: Problem, found: Evaluation, scaled: Array, inverse: Array, residual: float) -> dict[str, Effects]:
    """u = T (…), conditional variances hold b fixed, prediction error variances do not (statistics a.3)."""
    k, at = len(scaled), len(scaled) - problem.p
    beside, own = found.solved[:, :k], found.solved[:, k]
    first = found.ratios[problem.first]
    diagonal = found.factor.inverse_diagonal()
    held = np.linalg.inv(np.linalg.inv(inverse)[:at, :at]) if at else np.zeros((0, 0))
    conditional = diagonal + np.einsum("ij,jk,ik->i", beside[:, :at], held, beside[:, :at], optimize=True)
    predicted = diagonal + np.einsum("ij,jk,ik->i", beside, inverse, beside, optimize=True)
    parts = {
        problem.first: _one(
            problem, found, problem.first, first * (own - beside @ scaled), conditional, predicted, residual
        )
    }
    place = 0
    for name in problem.others:
        here = slice(place, place + len(problem.families[name]))
        value = found.ratios[name] * scaled[here]
        parts[name] = _one(problem, found, name, value, np.diag(held)[here], np.diag(inverse)[here], residual)
        place = here.stop
    return parts


def _one(
    problem: Problem, found: Evaluation, name: str, value: Array, conditional: Array, predicted: Array, residual: float
) -> Effects:
    size = found.ratios[name] * math.sqrt(residual)
    return Effects(
        problem.families[name], value, size * np.sqrt(np.maximum(conditional, 0.0)),
        size * np.sqrt(np.maximum(predicted, 0.0)), size,
    )  # fmt: skip


def prediction_errors(fitted: MixedFit, family: str, contrasts: Array) -> Array:
    """Prediction error covariance (c, c) of contrasts (q, c) of one family's effects."""
    problem, found = fitted.problem, fitted.found
    scaled, inverse = problem.coefficients(found)
    size = found.ratios[family] ** 2 * fitted.residual
    if family == problem.first:
        beside = found.solved[:, : len(scaled)]
        seen = beside.T @ contrasts
        return np.asarray(size * (contrasts.T @ found.factor.solve(contrasts) + seen.T @ inverse @ seen))
    place = 0
    for name in problem.others:
        here = slice(place, place + len(problem.families[name]))
        if name == family:
            return np.asarray(size * contrasts.T @ inverse[here, here] @ contrasts)
        place = here.stop
    raise NoAnswer("bad_input", f"{family} is not a family of this model.")
