"""Accumulators: rows whose integer sums are added to and taken from, exactly, in any order."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Protocol

from msgspec.structs import replace


class Part(Protocol):
    """Something that one home adds to the sums; parts that compare equal add the same."""

    def rows(self) -> Iterable[Any]:
        """Accumulator rows (`__sums__` names their integer sums) holding this part's own share."""


@dataclass(frozen=True, slots=True)
class One:
    """A part of a single row."""

    row: Any

    def rows(self) -> Iterable[Any]:
        return (self.row,)


def moved(old: Iterable[Part], new: Iterable[Part]) -> list[Any]:
    """What must be added to the accumulators when the parts of a home change from old to new.

    Subtract the old, add the new (statistics.md §0.1), leaving out what stays: rows of one key are added up.
    """
    gone, come = list(old), []
    for part in new:
        if part in gone:
            gone.remove(part)
        else:
            come.append(part)
    total: dict[tuple[Any, ...], Any] = {}
    for sign, parts in ((1, come), (-1, gone)):
        for part in parts:
            for row in part.rows():
                key = (type(row), *(getattr(row, name) for name in type(row).__key__))
                total[key] = summed(total.get(key), row if sign == 1 else negated(row))
    return [row for row in total.values() if not is_zero(row)]


def summed(there: Any, change: Any) -> Any:
    """The accumulator row with the sums of a change added; `there` may be None."""
    if there is None:
        return change
    return replace(change, **{name: getattr(there, name) + getattr(change, name) for name in change.__sums__})


def negated(row: Any) -> Any:
    """The row that takes this one away."""
    return replace(row, **{name: -getattr(row, name) for name in row.__sums__})


def is_zero(row: Any) -> bool:
    """Whether all sums of an accumulator row are zero: then it is no row."""
    return not any(_sums_of(row.__class__)(row))


@cache
def _sums_of(row_type: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    names = row_type.__sums__
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda row: (get(row),)
