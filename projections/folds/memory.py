"""The dictionary home of rows: for tests, for what-if, and for comparing with the tables."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from msgspec.structs import asdict

from events.canonical import canonical
from events.envelope import Recorded
from projections.folds.accumulators import is_zero, summed
from projections.folds.fold import Key, Ref

R = TypeVar("R")
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


class Undeclared(KeyError):
    """A fold read a key that it had not loaded."""


class DictRows:
    """Rows in dictionaries, one for each row type; with `declared`, only what was loaded may be read.

    `looked_up` finds events that came before; without it those that were folded are kept.
    """

    def __init__(self, row_types: Iterable[type[Any]], looked_up: Find | None = None) -> None:
        self.tables: dict[type[Any], dict[tuple[Any, ...], Any]] = {row_type: {} for row_type in row_types}
        self.declared: set[Key] | None = None
        self.told: dict[Ref, Recorded] = {}
        self.looked_up = looked_up

    def tell(self, events: Iterable[Recorded]) -> None:
        """These events were folded: later ones may refer to them."""
        if self.looked_up is None:
            self.told.update({(event.source, event.id): event for event in events})

    def load(self, keys: Iterable[Key]) -> None:
        """All rows are at hand here; what was loaded is noted where it is checked."""
        if self.declared is not None:
            self.declared.update(keys)

    def find(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of these events that were folded before."""
        if self.looked_up is not None:
            return self.looked_up(refs)
        return {ref: self.told[ref] for ref in refs if ref in self.told}

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None. Raises Undeclared for a key that was not named."""
        self._check(row_type, key)
        return self.tables[row_type].get(key)

    def pick(self, row_type: type[R], keys: Iterable[tuple[Any, ...]]) -> Iterable[R]:
        """The rows with these keys."""
        table = self.tables[row_type]
        return [table[key] for key in keys if key in table]

    def put(self, row: Any) -> None:
        """Store the row under its own key."""
        self.tables[type(row)][key_of(row)] = row

    def insert(self, row: Any) -> None:
        """Store a row whose key is not there."""
        assert key_of(row) not in self.tables[type(row)], f"{row} is there already"
        self.put(row)

    def append(self, row_type: type[Any], values: Iterable[tuple[Any, ...]]) -> None:
        """Store rows, as the values of their fields, whose keys are not there."""
        for one in values:
            self.insert(row_type(*one))

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key, if there is one."""
        self.tables[row_type].pop(key, None)

    def add(self, row: Any) -> None:
        """Add the row's sums to those of its key; a row whose sums are all zero is no row."""
        table, key = self.tables[type(row)], key_of(row)
        total = summed(table.get(key), row)
        if is_zero(total):
            table.pop(key, None)
        else:
            table[key] = total

    def _check(self, row_type: type[Any], key: tuple[Any, ...]) -> None:
        if self.declared is not None and Key(row_type, key) not in self.declared:
            raise Undeclared(f"{row_type.__name__}{key} was not named by keys or more_keys")


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


def state_digest(rows: DictRows) -> str:
    """The digest of rows in the dictionary home."""
    return digest_rows(
        {
            row_type: [] if getattr(row_type, "__hidden__", False) else [asdict(row) for row in table.values()]
            for row_type, table in rows.tables.items()
        }
    )
