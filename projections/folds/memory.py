"""The dictionary home of rows: for tests, for what-if, and for comparing with the tables."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from events.canonical import canonical
from events.envelope import Recorded
from projections.folds.fold import Key, Projection

R = TypeVar("R")


def key_of(row: Any) -> tuple[Any, ...]:
    """The primary key of a row."""
    return tuple(getattr(row, name) for name in type(row).__key__)


class Undeclared(KeyError):
    """A fold read a key that neither `keys` nor `more_keys` named."""


class DictRows:
    """Rows in dictionaries, one for each row type. With `declared`, only keys in it may be read."""

    def __init__(self, row_types: Iterable[type[Any]]) -> None:
        self.tables: dict[type[Any], dict[tuple[Any, ...], Any]] = {row_type: {} for row_type in row_types}
        self.declared: set[Key] | None = None

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None. Raises Undeclared for a key that was not named."""
        self._check(row_type, key)
        return self.tables[row_type].get(key)

    def put(self, row: Any) -> None:
        """Store the row under its own key."""
        key = key_of(row)
        self._check(type(row), key)
        self.tables[type(row)][key] = row

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key, if there is one."""
        self._check(row_type, key)
        self.tables[row_type].pop(key, None)

    def _check(self, row_type: type[Any], key: tuple[Any, ...]) -> None:
        if self.declared is not None and Key(row_type, key) not in self.declared:
            raise Undeclared(f"{row_type.__name__}{key} was not named by keys or more_keys")


def fold_one(projection: Projection, event: Recorded, rows: DictRows) -> None:
    """Fold one event, checking that only declared keys are touched."""
    if event.type not in projection.types:
        return
    rows.declared = set(projection.keys(event))
    while True:
        more = set(projection.more_keys(event, rows))
        if more <= rows.declared:
            break
        rows.declared |= more
    projection.fold(event, rows)
    rows.declared = None


def fold_all(projection: Projection, events: Iterable[Recorded], rows: DictRows | None = None) -> DictRows:
    """The rows after folding these events, from nothing or from `rows`."""
    rows = rows or DictRows(projection.row_types)
    for event in events:
        fold_one(projection, event, rows)
    return rows


def digested(row_type: type[Any]) -> Callable[[Mapping[str, Any]], dict[str, Any] | None]:
    """What of a row (as a mapping) the digest covers: None for a row that is left out whole."""
    left_out = set(getattr(row_type, "__undigested__", ()))
    flag = getattr(row_type, "__undigested_rows__", None)
    names = [field.name for field in fields(row_type) if field.name not in left_out and field.name != flag]

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
    """SHA-256 (hex) of the state: every table's rows in canonical form, sorted."""
    total = hashlib.sha256()
    for row_type in sorted(tables, key=lambda item: item.__name__):
        pick = digested(row_type)
        kept = sorted(canonical(part) for row in tables[row_type] if (part := pick(row)) is not None)
        total.update(row_type.__name__.encode() + b"\x00" + b"\x00".join(kept) + b"\x01")
    return total.hexdigest()


def state_digest(rows: DictRows) -> str:
    """The digest of rows in the dictionary home."""
    return digest_rows(
        {
            row_type: [{field.name: getattr(row, field.name) for field in fields(row_type)} for row in table.values()]
            for row_type, table in rows.tables.items()
        }
    )
