"""The common shape of the Weibull lives of all lots, by maximum likelihood; assumed where failures are too few."""

from collections.abc import Sequence
from dataclasses import dataclass

from projections.inference.state import Life
from projections.mathematics.answers import NoAnswer
from projections.mathematics.lives.lots import by_lot
from projections.mathematics.lives.weibull import lives as checked

ASSUMED_SHAPE = 1.0
"""A constant hazard, where failures cannot tell a shape: printed with every number that uses it."""
FEWEST_FAILURES = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """The Weibull shape and how it is known."""

    value: float
    basis: str
    notes: tuple[str, ...] = ()


def common_shape(lives: Sequence[Life], modes: frozenset[str]) -> Shape:
    """One shape for all lots and a scale for each, right-censored (statistics.md d).

    Each motor counts at its lots by share of pieces. Fewer than four failures of different age: assumed 1.
    """
    failed = [life for life in lives if life.mode is not None and (not modes or life.mode in modes)]
    if len({life.life_h for life in failed}) < FEWEST_FAILURES:
        note = f"{len(failed)} failures cannot tell a Weibull shape; a constant hazard (shape 1) is assumed."
        return Shape(ASSUMED_SHAPE, "assumed", (note,))
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for life in lives:
        pieces = sum(life.shares.values())
        ended = life.mode is not None and (not modes or life.mode in modes)
        for lot, count in life.shares.items():
            rows.setdefault(lot, []).append((life.life_h, float(ended), count / pieces))
    try:
        found = by_lot({lot: checked(*zip(*own, strict=True)) for lot, own in sorted(rows.items())})
    except NoAnswer as none:
        note = f"The failures cannot tell a Weibull shape ({none.detail}); a constant hazard (shape 1) is assumed."
        return Shape(ASSUMED_SHAPE, "assumed", (note,))
    return Shape(found.shape, "maximum likelihood")
