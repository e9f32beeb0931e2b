"""Repeated tests of a motor: one state for each number of repeats, solved together without a row (statistics a.5)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.criterion import Evaluation, Method, Problem
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.model import MixedFit, solve
from projections.mathematics.mixed.optimum import minimise


@dataclass(frozen=True, slots=True, eq=False)
class RepeatFit:
    """`motors` is the fit of motor means; `motor` the motor variance; `repeat` the variance of a test."""

    motors: MixedFit
    motor: float
    repeat: float
    criterion: float


def fit_repeats(
    states: Mapping[int, CrossProducts],
    within_ss: float,
    response: str,
    fixed: Sequence[str],
    families: Mapping[str, Sequence[str]],
    method: Method = "reml",
) -> RepeatFit:
    """`states[r]`: sums over means of motors tested r times; `within_ss`: pooled squares around those means.

    Total information is sum_r W_r/(s_motor² + s_repeat²/r). The criterion is that of the single tests, up to nothing.
    """
    motors = sum(state.n for state in states.values())
    spare = sum((repeats - 1) * state.n for repeats, state in states.items())
    if spare <= 0 or within_ss <= 0.0:
        raise NoAnswer("not_identified", "No motor was tested twice: a motor's scatter and a test's cannot be parted.")

    names = tuple(families)

    def at(log_share: float) -> tuple[Problem, dict[str, float], float, float]:
        """Variance of a test as share rho of the total: criterion over t and s² at that share."""
        part = 1.0 / (1.0 + math.exp(-log_share))
        weights = {repeats: 1.0 / (1.0 - part + part / repeats) for repeats in states}
        problem = Problem(_weighed(states, weights), response, fixed, families)
        dof = (motors - len(fixed) if method == "reml" else motors) + spare
        logs = sum(state.n * (math.log(r) - math.log(weights[r])) for r, state in states.items())
        logs += spare * math.log(part)

        def squares(found: Evaluation) -> float:
            return found.r2 + within_ss / part

        def criterion(t: Array) -> float:
            found = problem.evaluate(dict(zip(names, t.tolist(), strict=True)))
            bare = found.log_l + (found.log_x if method == "reml" else 0.0)
            return bare + logs + dof * (1.0 + math.log(2.0 * math.pi * squares(found) / dof))

        best, value = minimise(criterion, len(names))
        ratios = dict(zip(names, best.tolist(), strict=True))
        return problem, ratios, value, float(squares(problem.evaluate(ratios)) / dof)

    log_share = _lowest(lambda x: at(x)[2])
    problem, ratios, value, total = at(log_share)
    part = 1.0 / (1.0 + math.exp(-log_share))
    return RepeatFit(solve(problem, ratios, method, total), total * (1.0 - part), total * part, value)


def _lowest(criterion: Callable[[float], float]) -> float:
    """The lowest point over the logit of a share, from a grid and then by Brent."""
    grid = np.linspace(-8.0, 12.0, 11)
    start = int(np.argmin([criterion(float(point)) for point in grid]))
    low, high = grid[max(start - 1, 0)], grid[min(start + 1, len(grid) - 1)]
    best = minimize_scalar(lambda x: criterion(float(x)), bounds=(low, high), method="bounded", options={"xatol": 1e-7})
    return float(best.x)


def _weighed(states: Mapping[int, CrossProducts], weights: Mapping[int, float]) -> CrossProducts:
    """sum_r W_r times its weight."""
    parts = [state.weigh(weights[repeats]) for repeats, state in states.items()]
    total = parts[0]
    for part in parts[1:]:
        total = total.merge(part)
    return total
