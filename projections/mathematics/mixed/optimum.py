"""The minimum of a smooth criterion over a few non-negative ratios, with zero tested for each of them."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from scipy.optimize import minimize_scalar

from projections.mathematics.answers import Array, NoAnswer

LOWEST, HIGHEST = -9.0, 11.0
"""Range of log t that is searched; below it a ratio is tested as exactly zero."""
STARTS = (-1.5, 0.7)
STEP = 1e-3
LONGEST = 1.5
CLOSE = 1e-7

Criterion = Callable[[Array], float]


def minimise(criterion: Criterion, count: int, start: Array | None = None, above_zero: int = 0) -> tuple[Array, float]:
    """Ratios t (count,) and the criterion there; Brent for one, quasi-Newton then Newton for more (statistics a.2).

    The first `above_zero` of them cannot be zero. Raises NoAnswer `no_variation` where a ratio grows without bound.
    """
    best, value = _interior(criterion, count, start)
    for number in range(above_zero, count):
        if best[number] == 0.0:
            continue
        zeroed = best.copy()
        zeroed[number] = 0.0
        at_zero = criterion(zeroed)
        if best[number] < 0.05 or at_zero <= value:
            others = [place for place in range(count) if zeroed[place] > 0.0]
            zeroed, at_zero = _without(criterion, zeroed, others, at_zero, above_zero)
        if at_zero <= value + 1e-9:
            best, value = zeroed, at_zero
    if (best > 0.98 * np.exp(HIGHEST)).any():
        raise NoAnswer("no_variation", "The scatter within the levels is too small against that between them.")
    return best, value


def _without(
    criterion: Criterion, zeroed: Array, others: Sequence[int], at_zero: float, above_zero: int
) -> tuple[Array, float]:
    """The best of the remaining ratios while some are zero."""
    if not others:
        return zeroed, at_zero

    def rest(ratios: Array) -> float:
        full = zeroed.copy()
        full[list(others)] = ratios
        return criterion(full)

    ratios, value = minimise(rest, len(others), zeroed[list(others)], above_zero)
    found = zeroed.copy()
    found[list(others)] = ratios
    return found, value


def _interior(criterion: Criterion, count: int, start: Array | None) -> tuple[Array, float]:
    def on_logs(logs: Array) -> float:
        return criterion(np.exp(logs))

    if count == 1:
        return _one(on_logs)
    if start is None:
        begin = min((np.array(point) for point in product(STARTS, repeat=count)), key=on_logs)
    else:
        begin = np.log(np.maximum(start, np.exp(LOWEST)))
    logs = _descend(on_logs, np.clip(begin, LOWEST, HIGHEST))
    return np.exp(logs), on_logs(logs)


def _one(on_logs: Criterion) -> tuple[Array, float]:
    def scalar(log: float) -> float:
        return on_logs(np.array([log]))

    grid = np.arange(-8.0, 10.1, 2.0)
    values = [scalar(log) for log in grid]
    place = int(np.argmin(values))
    low = float(grid[place - 1]) if place else LOWEST
    high = float(grid[place + 1]) if place + 1 < len(grid) else HIGHEST
    found = minimize_scalar(scalar, bounds=(low, high), method="bounded", options={"xatol": 1e-8})
    return np.exp(np.array([float(found.x)])), float(found.fun)


def _descend(on_logs: Criterion, logs: Array) -> Array:
    """Damped Newton with central differences: every step goes down, none is longer than LONGEST."""
    value = on_logs(logs)
    for _ in range(60):
        gradient, hessian = _derivatives(on_logs, logs, value)
        free = ~((logs <= LOWEST) & (gradient > 0) | (logs >= HIGHEST) & (gradient < 0))
        if not free.any():
            return logs
        values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
        step = np.zeros_like(logs)
        step[free] = -vectors @ ((vectors.T @ gradient[free]) / np.maximum(np.abs(values), 1e-4))
        step *= min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-300))
        for _ in range(12):
            trial = np.clip(logs + step, LOWEST, HIGHEST)
            reached = on_logs(trial)
            if reached <= value:
                break
            step *= 0.4
        else:
            return logs
        moved = float(np.abs(trial - logs).max())
        logs, value = trial, reached
        if moved < CLOSE:
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
