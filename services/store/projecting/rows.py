"""The PostgreSQL home of rows: loaded by key, changed in memory, and written back in bulk."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from psycopg import Connection as Raw

from projections.folds.fold import Key, Projection
from projections.folds.memory import key_of
from services.store.projecting.shapes import SCHEMA, shape_of, table_name

R = TypeVar("R")


class BatchRows:
    """The rows of one batch in memory: loaded by key, changed, and written back together.

    Changes of the event at hand are kept apart until `keep`, so that `forget` takes back a fold that failed.
    """

    def __init__(self, raw: Raw[Any], projection: Projection, generation: int) -> None:
        self._raw = raw
        self._projection = projection
        self._generation = generation
        self._loaded: dict[Key, Any] = {}
        self._changed: set[Key] = set()
        self._undo: dict[Key, Any] = {}

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None. Raises KeyError for a key that was not named."""
        found: R | None = self._loaded[Key(row_type, key)]
        return found

    def put(self, row: Any) -> None:
        """Store the row under its own key."""
        self._set(Key(type(row), key_of(row)), row)

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key."""
        self._set(Key(row_type, key), None)

    def _set(self, key: Key, row: Any) -> None:
        self._undo.setdefault(key, self._loaded[key])
        self._loaded[key] = row
        self._changed.add(key)

    def keep(self) -> None:
        """The event at hand was folded: its changes stay."""
        self._undo.clear()

    def forget(self) -> None:
        """The event at hand failed: its changes are taken back."""
        self._loaded.update(self._undo)
        self._undo.clear()

    def load(self, keys: Iterable[Key]) -> None:
        """Load the rows of these keys that are not here yet: one query for each row type."""
        missing: dict[type[Any], list[tuple[Any, ...]]] = {}
        for key in dict.fromkeys(keys):
            if key not in self._loaded:
                missing.setdefault(key.row_type, []).append(key.values)
        for row_type, wanted in missing.items():
            self._load(row_type, wanted)

    def _load(self, row_type: type[Any], wanted: Sequence[tuple[Any, ...]]) -> None:
        shape = shape_of(row_type)
        columns = ", ".join(f'r."{name}"' for name in shape.names)
        arrays = ", ".join(f"%b::{kind}[]" for kind in shape.key_types)
        names = ", ".join(f'"{name}"' for name in shape.key)
        query = (
            f'SELECT {columns} FROM {SCHEMA}."{table_name(self._projection, row_type, self._generation)}" r '
            f"JOIN unnest({arrays}) AS k({names}) USING ({names})"
        )
        for values in wanted:
            self._loaded[Key(row_type, values)] = None
        for found in self._raw.execute(query, [list(column) for column in zip(*wanted, strict=True)]):
            row = shape.row(found)
            self._loaded[Key(row_type, key_of(row))] = row

    def write(self) -> int:
        """Write the changed rows back; returns how many."""
        by_type: dict[type[Any], list[Key]] = {}
        for key in self._changed:
            by_type.setdefault(key.row_type, []).append(key)
        for row_type, keys in by_type.items():
            self._upsert(row_type, [self._loaded[key] for key in keys if self._loaded[key] is not None])
            self._remove(row_type, [key.values for key in keys if self._loaded[key] is None])
        count = len(self._changed)
        self._changed.clear()
        return count

    def _upsert(self, row_type: type[Any], rows: Sequence[Any]) -> None:
        if not rows:
            return
        shape = shape_of(row_type)
        columns = ", ".join(f'"{name}"' for name in shape.names)
        picked = ", ".join(
            f'"{name}"::json' if kind == "json" else f'"{name}"'
            for name, kind in zip(shape.names, shape.sql_types, strict=True)
        )
        arrays = ", ".join(f"%b::{'text' if kind == 'json' else kind}[]" for kind in shape.sql_types)
        others = [name for name in shape.names if name not in shape.key]
        update = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
        action = f"DO UPDATE SET {update}" if others else "DO NOTHING"
        key = ", ".join(f'"{name}"' for name in shape.key)
        statement = (
            f'INSERT INTO {SCHEMA}."{table_name(self._projection, row_type, self._generation)}" ({columns}) '
            f"SELECT {picked} FROM unnest({arrays}) AS r({columns}) ON CONFLICT ({key}) {action}"
        )
        self._raw.execute(statement, [_column(rows, *part) for part in zip(shape.names, shape.sql_types, strict=True)])

    def _remove(self, row_type: type[Any], keys: Sequence[tuple[Any, ...]]) -> None:
        if not keys:
            return
        shape = shape_of(row_type)
        arrays = ", ".join(f"%b::{kind}[]" for kind in shape.key_types)
        names = ", ".join(f'"{name}"' for name in shape.key)
        equal = " AND ".join(f'r."{name}" = k."{name}"' for name in shape.key)
        self._raw.execute(
            f'DELETE FROM {SCHEMA}."{table_name(self._projection, row_type, self._generation)}" r '
            f"USING unnest({arrays}) AS k({names}) WHERE {equal}",
            [list(column) for column in zip(*keys, strict=True)],
        )


def _column(rows: Sequence[Any], name: str, kind: str) -> list[Any]:
    """One column of these rows as an array. Raises ValueError for NaN and infinities."""
    values = [getattr(row, name) for row in rows]
    if kind == "json":
        return [
            None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False) for value in values
        ]
    if kind == "double precision":
        numbers = [None if value is None else float(value) for value in values]
        if any(number is not None and not math.isfinite(number) for number in numbers):
            raise ValueError(f"{type(rows[0]).__name__}.{name} is NaN or infinite")
        return numbers
    return values
