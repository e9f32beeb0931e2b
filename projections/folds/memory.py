"""Rows in memory: the key of one, and the digest of many, which is the same wherever they live."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any

from events.canonical import canonical
from events.envelope import Recorded
from projections.folds.fold import Ref

Find = Callable[[Iterable[Ref]], Mapping[Ref, Recorded]]
"""Those of these events that came before."""


def key_of(row: Any) -> tuple[Any, ...]:
    """The primary key of a row."""
    return _key_getter(row.__class__)(row)


@cache
def _key_getter(row_type: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    names = row_type.__key__
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda row: (get(row),)


def digested(row_type: type[Any]) -> Callable[[Mapping[str, Any]], dict[str, Any] | None]:
    """What of a row (as a mapping) the digest covers: None for a row that is left out whole."""
    if getattr(row_type, "__hidden__", False):
        return lambda row: None
    state: Callable[[Mapping[str, Any]], dict[str, Any] | None] | None = getattr(row_type, "__state__", None)
    if state is not None:
        return lambda row: None if (found := state(row)) is None else _same(found)
    left_out = set(getattr(row_type, "__undigested__", ()))
    flag = getattr(row_type, "__undigested_rows__", None)
    names = [name for name in row_type.__struct_fields__ if name not in left_out and name != flag]

    def pick(row: Mapping[str, Any]) -> dict[str, Any] | None:
        return None if flag and row[flag] else {name: _same(row[name]) for name in names}

    return pick


def _same(value: Any) -> Any:
    """JSON as every home reads it back: PostgreSQL returns 1e22 inside JSON as an integer of 23 digits."""
    if isinstance(value, dict):
        return {name: _inner(item) for name, item in value.items()}
    return [_inner(item) for item in value] if isinstance(value, list) else value


def _inner(value: Any) -> Any:
    if isinstance(value, int) and abs(value) >= 2**53:
        return float(value)
    return _same(value)


def digest_rows(tables: Mapping[type[Any], Iterable[Mapping[str, Any]]]) -> str:
    """SHA-256 (hex) of the state: for every table, the hashes of its rows in canonical form, sorted.

    Only the hashes of a table are in memory together, 32 bytes a row, so that one of millions of rows can be digested.
    """
    total = hashlib.sha256()
    for row_type in sorted(tables, key=lambda item: item.__name__):
        pick, hashes = digested(row_type), bytearray()
        for row in tables[row_type]:
            if (part := pick(row)) is not None:
                hashes += hashlib.sha256(canonical(part)).digest()
        _sort(hashes)
        total.update(row_type.__name__.encode() + b"\x00")
        total.update(hashes)
        total.update(b"\x01")
    return total.hexdigest()


def _sort(hashes: bytearray) -> None:
    """Sort hashes of 32 bytes each where they lie."""
    import numpy as np  # which only digests need here

    if hashes:
        np.frombuffer(hashes, dtype="S32").sort()
