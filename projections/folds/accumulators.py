"""Accumulators: rows whose integer sums are added to and taken from, exactly, in any order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol


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
                _sum(total, row, sign)
    return [row for row in total.values() if any(getattr(row, name) for name in type(row).__sums__)]


def _sum(total: dict[tuple[Any, ...], Any], row: Any, sign: int) -> None:
    kind = type(row)
    key = (kind, *(getattr(row, name) for name in kind.__key__))
    there = total.get(key)
    if there is None and sign == 1:
        total[key] = row
        return
    sums = {
        name: (getattr(there, name) if there is not None else 0) + sign * getattr(row, name) for name in kind.__sums__
    }
    total[key] = replace(row, **sums)
