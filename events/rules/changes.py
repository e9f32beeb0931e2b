"""Changes of limits: bounds in one unit, which way a limit went, and whether it moved enough to matter."""

from collections.abc import Mapping
from typing import Any, Literal

from events.vocabulary.units import convert

Direction = Literal["tightened", "loosened", "changed", "added"]
SIDES = ("lower", "target", "upper")
Bounds = tuple[float | None, float | None, float | None]
SAME = 1e-9
"""Two values nearer than this, relative to the larger, are one value written in two units."""


def bounds_in(limits: Mapping[str, Any], unit: str) -> Bounds:
    """Lower, target and upper of stored limits {"lower", "target", "upper", "unit"} in this unit. Raises Invalid."""
    lower, target, upper = (
        None if limits.get(side) is None else convert(float(limits[side]), limits["unit"], unit) for side in SIDES
    )
    return lower, target, upper


def direction(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Direction:
    """Which way a limit went.

    Tightened or loosened when every bound that moved went inwards or outwards; a bound that appears tightens, one
    that disappears loosens; else changed. Without old limits: added.
    """
    if old is None:
        return "added"
    if new is None:
        return "loosened"
    before, after = bounds_in(old, new["unit"]), bounds_in(new, new["unit"])
    ways = {way for way in (_way(before[0], after[0], 1), _way(before[2], after[2], -1)) if way}
    if ways == {1}:
        return "tightened"
    return "loosened" if ways == {-1} else "changed"


def loosens(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    """Whether any bound went outwards or away, whatever the other did."""
    if old is None:
        return False
    if new is None:
        return True
    before, after = bounds_in(old, new["unit"]), bounds_in(new, new["unit"])
    return -1 in (_way(before[0], after[0], 1), _way(before[2], after[2], -1))


def _way(before: float | None, after: float | None, inwards: int) -> int:
    """1 inwards, -1 outwards, 0 where it stands; `inwards` is the sign of an inward move."""
    if before is None or after is None:
        return 0 if before is after else (1 if before is None else -1)
    if same(before, after):
        return 0
    return inwards if after > before else -inwards


def same(first: float | None, second: float | None) -> bool:
    """Equal up to the rounding of a unit conversion; two absent values are equal."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= SAME * max(abs(first), abs(second))


def same_limits(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> bool:
    """Whether two stored limits say the same, in whatever unit."""
    if first is None or second is None:
        return first is None and second is None
    pairs = zip(bounds_in(first, second["unit"]), bounds_in(second, second["unit"]), strict=True)
    return all(same(one, other) for one, other in pairs)


def moved(shown: Mapping[str, Any] | None, new: Mapping[str, Any] | None, step: float) -> bool:
    """Whether any bound appeared, went, or moved by more than `step` relative to what is shown."""
    if shown is None or new is None:
        return not (shown is None and new is None)
    for before, after in zip(bounds_in(shown, new["unit"]), bounds_in(new, new["unit"]), strict=True):
        if before is None or after is None:
            if before is not after:
                return True
        elif not same(before, after) and abs(after - before) > step * abs(before):
            return True
    return False
