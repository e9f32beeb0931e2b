"""The PostgreSQL home of rows: loaded by key, changed in memory, and written back in bulk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from psycopg import Connection as Raw

from events.envelope import Recorded
from projections.folds.accumulators import is_zero, summed
from projections.folds.fold import Key, Projection, Ref
from projections.folds.memory import Find, key_of
from services.store.projecting import writing
from services.store.projecting.shapes import SCHEMA, shape_of, table_name

R = TypeVar("R")
Table = dict[tuple[Any, ...], Any]
MANY = 64
"""For more keys than this it pays to look first whether a table holds any rows, or few."""


def empty_tables(raw: Raw[Any], tables: Sequence[str]) -> set[str]:
    """Those of these tables that hold nothing, asked in one query."""
    asked = ", ".join(f'EXISTS (SELECT FROM {SCHEMA}."{name}")' for name in tables)
    found = raw.execute(f"SELECT {asked}").fetchone() or ()
    return {name for name, filled in zip(tables, found, strict=True) if not filled}


class BatchRows:
    """The rows of one batch in memory: loaded by key, changed, and written back together.

    `before` is the batch before it where that is still being written: what it changed is taken from there. `empty` are
    row types of which no row is stored: they need not be asked for.
    """

    def __init__(
        self,
        raw: Raw[Any],
        projection: Projection,
        generation: int,
        find: Find,
        before: "BatchRows | None" = None,
        empty: Collection[type[Any]] = (),
    ) -> None:
        self._raw = raw
        self._projection = projection
        self._generation = generation
        self._find = find
        self._empty = empty
        self._loaded: dict[type[Any], Table] = {row_type: {} for row_type in projection.row_types}
        self._before = {} if before is None else before.changed
        self.changed: dict[type[Any], Table] = {}
        self.appended: dict[type[Any], list[tuple[Any, ...]]] = {}
        self.sums: dict[type[Any], Table] = {}

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None. Raises KeyError for a key that was not loaded."""
        changed = self.changed.get(row_type)
        if changed is not None and key in changed:
            there: R | None = changed[key]
            return there
        found: R | None = self._loaded[row_type][key]
        return found

    def those(self, row_type: type[R], keys: Sequence[tuple[Any, ...]]) -> Iterable[R | None]:
        """The rows with these keys, in their order, loaded at once."""
        loaded, changed = self._loaded[row_type], self.changed.get(row_type, {})
        missing = [key for key in keys if key not in loaded]
        if missing:
            self._load(row_type, missing)
        return [changed[key] if key in changed else loaded[key] for key in keys]

    def put(self, row: Any) -> None:
        """Store the row under its own key."""
        self.changed.setdefault(type(row), {})[key_of(row)] = row

    def put_all(self, row_type: type[R], rows: Mapping[tuple[Any, ...], R]) -> None:
        """Store many rows, by their keys."""
        self.changed.setdefault(row_type, {}).update(rows)

    def insert(self, row: Any) -> None:
        """Store a row whose key is not there."""
        row_type, key = row.__class__, key_of(row)
        changed = self.changed.setdefault(row_type, {})
        if key not in changed:
            self._loaded[row_type].setdefault(key, None)
        changed[key] = row

    def append(self, row_type: type[Any], values: Iterable[tuple[Any, ...]]) -> None:
        """Store rows, as the values of their fields, whose keys are not there, and which no fold reads."""
        self.appended.setdefault(row_type, []).extend(values)

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key."""
        self.changed.setdefault(row_type, {})[key] = None

    def add(self, row: Any) -> None:
        """Add the row's sums to those of its key."""
        self.add_all(row.__class__, (row,))

    def add_all(self, row_type: type[R], rows: Iterable[R]) -> None:
        """Add the sums of many rows to those of their keys."""
        table = self.sums.setdefault(row_type, {})
        for row in rows:
            key = key_of(row)
            table[key] = summed(table.get(key), row)

    def find(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of these events that came before the batch."""
        return self._find(refs)

    def load(self, keys: Iterable[Key]) -> None:
        """Load the rows of these keys that are not here yet: one query for each row type."""
        missing: dict[type[Any], dict[tuple[Any, ...], None]] = {}
        for row_type, values in keys:
            if values not in self._loaded[row_type]:
                missing.setdefault(row_type, {})[values] = None
        for row_type, wanted in missing.items():
            self._load(row_type, wanted)

    def _load(self, row_type: type[Any], wanted: Iterable[tuple[Any, ...]]) -> None:
        here, before = self._loaded[row_type], self._before.get(row_type, {})
        here.update({key: before.get(key) for key in wanted})
        asked = [key for key in wanted if key not in before] if before else list(wanted)
        if not asked or row_type in self._empty:
            return
        for row in self._with_keys(row_type, asked):
            here[key_of(row)] = row

    def may_hold(self, row_type: type[Any]) -> bool:
        """False where none is stored, nor will be by the batch before."""
        return row_type not in self._empty or bool(self._before.get(row_type))

    def pick(self, row_type: type[R], keys: Sequence[tuple[Any, ...]]) -> Sequence[R]:
        """The stored rows with these keys; all rows of a small table, where that is less work."""
        found, before = list[R](), self._before.get(row_type, {})
        if keys and row_type not in self._empty:
            found = self._first(row_type, MANY + 1) if len(keys) > MANY else found
            if len(keys) <= MANY or len(found) > MANY:
                found = self._with_keys(row_type, keys)
        rest = [row for row in found if key_of(row) not in before]
        return [*rest, *(row for row in before.values() if row is not None)]

    def settled(self) -> None:
        """All was folded that will be: the batch before is let go."""
        self._before = {}

    def _first(self, row_type: type[R], limit: int) -> list[R]:
        return self._rows(row_type, f"LIMIT {limit}", ())

    def _with_keys(self, row_type: type[R], keys: Sequence[tuple[Any, ...]]) -> list[R]:
        shape = shape_of(row_type)
        columns = [list(column) for column in zip(*keys, strict=True)]
        if len(columns) == 1:  # neighbours are found together in the index
            return self._rows(row_type, f'WHERE r."{shape.key[0]}" = ANY(%b::{shape.key_types[0]}[])', columns)
        arrays = ", ".join(f"%b::{kind}[]" for kind in shape.key_types)
        names = ", ".join(f'"{name}"' for name in shape.key)
        return self._rows(row_type, f"JOIN unnest({arrays}) AS k({names}) USING ({names})", columns)

    def _rows(self, row_type: type[R], restricted: str, values: Sequence[Any]) -> list[R]:
        shape, table = shape_of(row_type), table_name(self._projection, row_type, self._generation)
        columns = ", ".join(
            f'r."{name}"::text' if kind == "json" else f'r."{name}"'
            for name, kind in zip(shape.names, shape.sql_types, strict=True)
        )
        with self._raw.cursor(binary=True) as cursor:
            return [
                shape.row(found)
                for found in cursor.execute(f'SELECT {columns} FROM {SCHEMA}."{table}" r {restricted}', values)
            ]

    def write(self, raw: Raw[Any]) -> None:
        """Write what changed: new rows by COPY, changed ones by key, sums added to what is there.

        Sums are added in one order by all, so that no two that add to the same ones wait for each other.
        """
        for row_type, table in self.changed.items():
            self._write(raw, row_type, table)
        for row_type, values in self.appended.items():
            name = table_name(self._projection, row_type, self._generation)
            writing.append(raw, name, shape_of(row_type), values)
        for row_type in self._projection.row_types:
            table = self.sums.get(row_type, {})
            name = table_name(self._projection, row_type, self._generation)
            rows = [row for _, row in sorted(table.items(), key=itemgetter(0)) if not is_zero(row)]
            writing.add(raw, name, shape_of(row_type), rows)

    def _write(self, raw: Raw[Any], row_type: type[Any], table: Table) -> None:
        name, shape = table_name(self._projection, row_type, self._generation), shape_of(row_type)
        loaded = self._loaded[row_type]
        absent, others, gone = list[Any](), list[Any](), list[tuple[Any, ...]]()
        for key, row in table.items():
            if key in loaded and loaded[key] is None:
                if row is not None:
                    absent.append(row)
            elif row is None:
                gone.append(key)
            else:
                others.append(row)
        writing.copy(raw, name, shape, absent)
        writing.upsert(raw, name, shape, others)
        writing.remove(raw, name, shape, gone)
