"""The PostgreSQL home of rows: tables made from row types, loaded by key and written back in bulk."""

import json
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from psycopg import Connection as Raw
from sqlalchemy import BigInteger, Boolean, Column, Connection, Double, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from projections.folds.fold import Key, Projection
from projections.folds.memory import key_of

R = TypeVar("R")
SCHEMA = "projections"
_SCALARS: dict[Any, tuple[str, Any]] = {
    str: ("text", Text),
    int: ("bigint", BigInteger),
    float: ("double precision", Double),
    bool: ("boolean", Boolean),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a row type: names, PostgreSQL types, which are nullable, which are keys and indexes."""

    row_type: type[Any]
    names: tuple[str, ...]
    sql_types: tuple[str, ...]
    column_types: tuple[Any, ...]
    nullable: tuple[bool, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]

    @property
    def key_types(self) -> tuple[str, ...]:
        return tuple(self.sql_types[self.names.index(name)] for name in self.key)


_SHAPES: dict[type[Any], Shape] = {}


def shape_of(row_type: type[Any]) -> Shape:
    """The columns of a row type: str, int, float, bool and their optional forms are scalars, all else is JSON."""
    known = _SHAPES.get(row_type)
    if known is None:
        known = _SHAPES[row_type] = _shape(row_type)
    return known


def _shape(row_type: type[Any]) -> Shape:
    hints = get_type_hints(row_type)
    names = tuple(field.name for field in fields(row_type))
    kinds = [_kind(hints[name]) for name in names]
    return Shape(
        row_type,
        names,
        tuple(kind[0] for kind in kinds),
        tuple(kind[1] for kind in kinds),
        tuple(kind[2] for kind in kinds),
        tuple(row_type.__key__),
        tuple(getattr(row_type, "__indexes__", ())),
    )


def _kind(hint: Any) -> tuple[str, Any, bool]:
    if hint in _SCALARS:
        return (*_SCALARS[hint], False)
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        if len(inner) == 1 and inner[0] in _SCALARS:
            return (*_SCALARS[inner[0]], True)
    return ("jsonb", JSONB, True)


def snake(name: str) -> str:
    """A class name as a table name."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def view_name(projection: Projection, row_type: type[Any]) -> str:
    """The stable name that readers use."""
    return f"{projection.name}_{snake(row_type.__name__)}"


def table_name(projection: Projection, row_type: type[Any], generation: int) -> str:
    """The table of one generation; the projection's version is in the name."""
    return f"{view_name(projection, row_type)}_v{projection.version}_g{generation}"


def reading_table(projection: Projection, row_type: type[Any], metadata: MetaData) -> Table:
    """The live rows of a row type, for ordinary SQL."""
    shape = shape_of(row_type)
    columns = [
        Column(name, kind, primary_key=name in shape.key)
        for name, kind in zip(shape.names, shape.column_types, strict=True)
    ]
    return Table(view_name(projection, row_type), metadata, *columns, schema=SCHEMA)


def make_tables(connection: Connection, projection: Projection, generation: int) -> None:
    """Make the empty tables of one generation."""
    for row_type in projection.row_types:
        shape, name = shape_of(row_type), table_name(projection, row_type, generation)
        columns = ", ".join(
            f'"{column}" {kind}{"" if null else " NOT NULL"}'
            for column, kind, null in zip(shape.names, shape.sql_types, shape.nullable, strict=True)
        )
        key = ", ".join(f'"{column}"' for column in shape.key)
        connection.execute(text(f'CREATE TABLE {SCHEMA}."{name}" ({columns}, PRIMARY KEY ({key}))'))
        for index in shape.indexes:
            listed = ", ".join(f'"{column}"' for column in index)
            connection.execute(text(f'CREATE INDEX ON {SCHEMA}."{name}" ({listed})'))


def drop_tables(connection: Connection, projection: Projection, generation: int, version: int) -> None:
    """Drop the tables of one generation, whatever their version."""
    suffix = f"_v{version}_g{generation}"
    query = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema AND tablename LIKE :name")
    found = connection.execute(query, {"schema": SCHEMA, "name": f"{projection.name}\\_%{suffix}"}).scalars().all()
    for name in found:
        if name.endswith(suffix):
            connection.execute(text(f'DROP TABLE {SCHEMA}."{name}" CASCADE'))


def point_views(connection: Connection, projection: Projection, generation: int) -> None:
    """Let the stable names show this generation."""
    for row_type in projection.row_types:
        view, table = view_name(projection, row_type), table_name(projection, row_type, generation)
        connection.execute(text(f'DROP VIEW IF EXISTS {SCHEMA}."{view}"'))
        connection.execute(text(f'CREATE VIEW {SCHEMA}."{view}" AS SELECT * FROM {SCHEMA}."{table}"'))


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
            row = row_type(*found)
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
            f'"{name}"::jsonb' if kind == "jsonb" else f'"{name}"'
            for name, kind in zip(shape.names, shape.sql_types, strict=True)
        )
        arrays = ", ".join(f"%b::{'text' if kind == 'jsonb' else kind}[]" for kind in shape.sql_types)
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
    if kind == "jsonb":
        values = [getattr(row, name) for row in rows]
        return [None if value is None else json.dumps(value, separators=(",", ":")) for value in values]
    if kind == "double precision":
        return [None if (value := getattr(row, name)) is None else float(value) for row in rows]
    return [getattr(row, name) for row in rows]
