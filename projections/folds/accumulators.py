"""Accumulators: rows whose integer sums are added to and taken from, exactly, in any order."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any


def moved(old: Iterable[Any], new: Iterable[Any]) -> list[Any]:
    """What must be added to the accumulators when contributions change from old to new.

    Contributions are accumulator rows (`__sums__` names their integer sums); those of one key are added up, and what
    stays the same is left out (statistics.md §0.1: subtract the old row, add the new).
    """
    total: dict[tuple[Any, ...], Any] = {}
    for sign, rows in ((1, new), (-1, old)):
        for row in rows:
            kind = type(row)
            key = (kind, *(getattr(row, name) for name in kind.__key__))
            there = total.get(key)
            sums = {
                name: (getattr(there, name) if there is not None else 0) + sign * getattr(row, name)
                for name in kind.__sums__
            }
            total[key] = replace(row, **sums)
    return [row for row in total.values() if any(getattr(row, name) for name in type(row).__sums__)]
