"""The common shape of the Weibull lives of all lots, by profile likelihood; assumed where failures are too few."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from projections.inference.state import Life

ASSUMED_SHAPE = 1.0
"""A constant hazard, where failures cannot tell a shape: printed with every number that uses it."""
FEWEST_FAILURES = 4
LOG_BOUNDS = (math.log(0.3), math.log(8.0))


@dataclass(frozen=True, slots=True)
class Shape:
    """The Weibull shape and how it is known."""

    value: float
    basis: str
    notes: tuple[str, ...] = ()


def common_shape(lives: Sequence[Life], modes: frozenset[str]) -> Shape:
    """Maximum of the likelihood with one shape and a scale for each lot's own share (statistics.md d).

    Each motor counts at the lot with most of its pieces. Fewer than four distinct failure times: assumed 1.
    """
    failed = [life for life in lives if life.mode is not None and (not modes or life.mode in modes)]
    if len({life.life_h for life in failed}) < FEWEST_FAILURES:
        note = f"{len(failed)} failures cannot tell a Weibull shape; a constant hazard (shape 1) is assumed."
        return Shape(ASSUMED_SHAPE, "assumed", (note,))
    lots = sorted({_main(life) for life in lives})
    place = {lot: number for number, lot in enumerate(lots)}
    group = np.array([place[_main(life)] for life in lives])
    failure = np.array([life in failed for life in lives], dtype=float)
    log_t = np.log(np.array([max(life.life_h, 1e-3) for life in lives]))
    log_t -= log_t.max()
    by_lot = np.bincount(group, weights=failure, minlength=len(lots))
    total = float(failure.sum())

    def criterion(log_shape: float) -> float:
        shape = math.exp(log_shape)
        exposure = np.bincount(group, weights=np.exp(shape * log_t), minlength=len(lots))
        kept = by_lot > 0
        scale = float((by_lot[kept] * np.log(exposure[kept] / by_lot[kept])).sum())
        return -(total * log_shape + shape * float((failure * log_t).sum()) - scale)

    found = optimize.minimize_scalar(criterion, bounds=LOG_BOUNDS, method="bounded", options={"xatol": 1e-9})
    return Shape(math.exp(float(found.x)), "maximum likelihood")


def _main(life: Life) -> str:
    return max(sorted(life.shares), key=lambda lot: life.shares[lot])
