"""The minimum of a smooth criterion over a few non-negative ratios, with zero tested for each of them."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from projections.mathematics.answers import Array, NoAnswer

LOWEST, HIGHEST = -9.0, 14.0
"""Range of log t that is searched; below it a ratio is tested as exactly zero."""
STARTS = (-1.5, 0.7)
STEP = 1e-3

Criterion = Callable[[Array], float]


def minimise(criterion: Criterion, count: int, start: Array | None = None) -> tuple[Array, float]:
    """Ratios t (count,) and the criterion there; Brent for one, quasi-Newton then Newton for more (statistics a.2)."""
    best, value = _interior(criterion, count, start)
    for number in range(count):
        if best[number] == 0.0:
            continue
        zeroed = best.copy()
        zeroed[number] = 0.0
        at_zero = criterion(zeroed)
        if best[number] < 0.05 or at_zero <= value:
            others = [place for place in range(count) if zeroed[place] > 0.0]
            zeroed, at_zero = _without(criterion, zeroed, others, at_zero)
        if at_zero <= value + 1e-9:
            best, value = zeroed, at_zero
    if (best > 0.98 * np.exp(HIGHEST)).any():
        raise NoAnswer("no_variation", "The scatter within the levels is too small against that between them.")
    return best, value


def _without(criterion: Criterion, zeroed: Array, others: Sequence[int], at_zero: float) -> tuple[Array, float]:
    """The best of the remaining ratios while some are zero."""
    if not others:
        return zeroed, at_zero

    def rest(ratios: Array) -> float:
        full = zeroed.copy()
        full[list(others)] = ratios
        return criterion(full)

    ratios, value = minimise(rest, len(others), zeroed[list(others)])
    found = zeroed.copy()
    found[list(others)] = ratios
    return found, value


def _interior(criterion: Criterion, count: int, start: Array | None) -> tuple[Array, float]:
    def on_logs(logs: Array) -> float:
        return criterion(np.exp(logs))

    if count == 1:
        return _one(on_logs)
    if start is None:
        grid = [np.array(point) for point in product(STARTS, repeat=count)]
        begin = min(grid, key=on_logs)
    else:
        begin = np.log(np.maximum(start, np.exp(LOWEST)))
    found = minimize(on_logs, begin, method="L-BFGS-B", bounds=[(LOWEST, HIGHEST)] * count)
    logs = _polish(on_logs, np.asarray(found.x))
    return np.exp(logs), on_logs(logs)


def _one(on_logs: Criterion) -> tuple[Array, float]:
    def scalar(log: float) -> float:
        return on_logs(np.array([log]))

    grid = np.arange(-8.0, 14.1, 2.0)
    values = [scalar(log) for log in grid]
    place = int(np.argmin(values))
    low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
    found = minimize_scalar(scalar, bounds=(low if place else LOWEST, high), method="bounded", options={"xatol": 1e-8})
    return np.exp(np.array([float(found.x)])), float(found.fun)


def _polish(on_logs: Criterion, logs: Array) -> Array:
    """Newton steps with central differences, kept only while they go down."""
    value = on_logs(logs)
    for _ in range(8):
        gradient, hessian = _derivatives(on_logs, logs, value)
        inside = (logs > LOWEST + 2 * STEP) & (logs < HIGHEST - 2 * STEP)
        if not inside.any():
            return logs
        small = hessian[np.ix_(inside, inside)]
        if np.linalg.eigvalsh(small)[0] <= 0.0:
            return logs
        step = np.zeros_like(logs)
        step[inside] = -np.linalg.solve(small, gradient[inside])
        trial = np.clip(logs + step, LOWEST, HIGHEST)
        reached = on_logs(trial)
        if reached > value + 1e-10 * abs(value):
            return logs
        logs, value = trial, reached
        if np.abs(step).max() < 1e-8:
            return logs
    return logs


def _derivatives(on_logs: Criterion, logs: Array, value: float) -> tuple[Array, Array]:
    count = len(logs)
    unit = np.eye(count) * STEP
    up = np.array([on_logs(logs + unit[j]) for j in range(count)])
    down = np.array([on_logs(logs - unit[j]) for j in range(count)])
    hessian = np.diag((up - 2 * value + down) / STEP**2)
    for i in range(count):
        for j in range(i):
            corner = (
                on_logs(logs + unit[i] + unit[j]) - on_logs(logs + unit[i] - unit[j])
                - on_logs(logs - unit[i] + unit[j]) + on_logs(logs - unit[i] - unit[j])
            )  # fmt: skip
            hessian[i, j] = hessian[j, i] = corner / (4 * STEP**2)
    return (up - down) / (2 * STEP), hessian
