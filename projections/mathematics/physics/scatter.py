"""Scatter around a functional limit: root sum of squares, one-sided guard, and the mean that a capability asks for."""

import math
from collections.abc import Iterable
from typing import Literal

from projections.mathematics.answers import positive
from projections.mathematics.physics.constants import ONE_SIDED_95

Side = Literal["lower", "upper"]


def root_sum_of_squares(parts: Iterable[float]) -> float:
    """sqrt(sum of squares) of independent standard deviations in one unit (G.6)."""
    return math.sqrt(sum(part * part for part in parts))


def guarded(limit: float, relative: float, side: Side = "lower", factor: float = ONE_SIDED_95) -> float:
    """The limit moved to the safe side by factor·relative scatter, in its own unit (H.2, H.3)."""
    step = factor * relative * abs(limit)
    return limit + step if side == "lower" else limit - step


def mean_for_capability(limit: float, sd: float, cpk: float, side: Side = "lower") -> float:
    """The mean that meets a one-sided Cpk: limit ± 3·Cpk·s (G.1, H.4; Cpk 1.33 is read as 4/3 there)."""
    positive("s.d.", sd)
    step = 3.0 * cpk * sd
    return limit + step if side == "lower" else limit - step


def motors_to_show_halving(rate: float) -> int:
    """Motors without a failure that show a failure rate halved: 6/r0, rounded up (G.8)."""
    positive("rate", rate)
    return math.ceil(6.0 / rate - 1e-9)
