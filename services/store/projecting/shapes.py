"""The tables of projections, made from row types: columns, names, generations, and the views that readers use."""

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Double, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from projections.folds.fold import Projection

Read = Callable[[Any], Any]
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
    json: tuple[int, ...]
    readers: tuple[tuple[int, Read], ...]

    @property
    def key_types(self) -> tuple[str, ...]:
        return tuple(self.sql_types[self.names.index(name)] for name in self.key)

    @property
    def values(self) -> Callable[[Any], tuple[Any, ...]]:
        """From a row its columns."""
        get = attrgetter(*self.names)
        return get if len(self.names) > 1 else lambda row: (get(row),)

    def row(self, found: tuple[Any, ...]) -> Any:
        """The row that was stored, from its columns; JSON as text."""
        if not self.json:
            return self.row_type(*found)
        values = list(found)
        for at in self.json:
            if values[at] is not None:
                values[at] = orjson.loads(values[at])
        for at, read in self.readers:
            if values[at] is not None:
                values[at] = read(values[at])
        return self.row_type(*values)


_SHAPES: dict[type[Any], Shape] = {}


def shape_of(row_type: type[Any]) -> Shape:
    """The columns of a row type: str, int, float, bool and their optional forms are scalars, all else is JSON.

    JSON is kept as text (`json`, not `jsonb`): a number, the order of keys and the sign of zero come back as they were.
    """
    known = _SHAPES.get(row_type)
    if known is None:
        known = _SHAPES[row_type] = _shape(row_type)
    return known


def _shape(row_type: type[Any]) -> Shape:
    hints = get_type_hints(row_type)
    names = row_type.__struct_fields__
    kinds = [_kind(hints[name]) for name in names]
    return Shape(
        row_type,
        names,
        tuple(kind[0] for kind in kinds),
        tuple(kind[1] for kind in kinds),
        tuple(kind[2] for kind in kinds),
        tuple(row_type.__key__),
        tuple(getattr(row_type, "__indexes__", ())),
        tuple(at for at, kind in enumerate(kinds) if kind[0] == "json"),
        tuple((at, read) for at, name in enumerate(names) if (read := _reader(hints[name])) is not None),
    )


def _kind(hint: Any) -> tuple[str, Any, bool]:
    if hint in _SCALARS:
        return (*_SCALARS[hint], False)
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        if len(inner) == 1 and inner[0] in _SCALARS:
            return (*_SCALARS[inner[0]], True)
    return ("json", JSON, True)


def _reader(hint: Any) -> Read | None:
    """How stored JSON becomes the annotated value again: tuples are tuples, integer keys integers. None: as it is."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is tuple:
        return tuple
    if origin in (Union, types.UnionType):
        inner = [part for part in parts if part is not type(None)]
        return _reader(inner[0]) if len(inner) == 1 else None
    if origin is tuple and parts[1:] != (Ellipsis,):
        readers = [_reader(part) or _same for part in parts]
        return lambda value: tuple(read(item) for read, item in zip(readers, value, strict=True))
    if origin in (tuple, list):
        item_of = _reader(parts[0]) or _same
        return lambda value: origin(map(item_of, value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key_of, value_of = (int if parts[0] is int else _same), _reader(parts[1]) or _same
        return lambda value: {key_of(key): value_of(item) for key, item in value.items()}
    return None


def _same(value: Any) -> Any:
    return value


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
    """The live rows of a row type, for ordinary SQL; JSON columns are jsonb there."""
    shape = shape_of(row_type)
    columns = [
        Column(name, JSONB if kind is JSON else kind, primary_key=name in shape.key)
        for name, kind in zip(shape.names, shape.column_types, strict=True)
    ]
    return Table(view_name(projection, row_type), metadata, *columns, schema=SCHEMA)


def reads(connection: Connection, projection: Projection) -> bool:
    """Whether what readers see now, whichever version made it, has the columns that this version's rows have."""
    query = text(
        "SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute "
        "WHERE attrelid = to_regclass(:view) AND attnum > 0 AND NOT attisdropped"
    )
    for row_type in projection.row_types:
        there = connection.execute(query, {"view": f'{SCHEMA}."{view_name(projection, row_type)}"'})
        kinds = {row.attname: row.kind for row in there}
        shape = shape_of(row_type)
        wanted = {
            name: "jsonb" if kind == "json" else kind for name, kind in zip(shape.names, shape.sql_types, strict=True)
        }
        if wanted.items() - kinds.items():
            return False
    return True


def stored_table(projection: Projection, row_type: type[Any], generation: int) -> Table:
    """The rows of one generation as they are stored: numbers in JSON as they were written."""
    shape = shape_of(row_type)
    columns = [Column(name, kind) for name, kind in zip(shape.names, shape.column_types, strict=True)]
    return Table(table_name(projection, row_type, generation), MetaData(), *columns, schema=SCHEMA)


def make_tables(connection: Connection, projection: Projection, generation: int) -> None:
    """Make the empty tables of one generation."""
    for row_type in projection.row_types:
        shape, name = shape_of(row_type), table_name(projection, row_type, generation)
        columns = ", ".join(
            f'"{column}" {kind}{"" if null else " NOT NULL"}'
            for column, kind, null in zip(shape.names, shape.sql_types, shape.nullable, strict=True)
        )
        key = ", ".join(f'"{column}"' for column in shape.key)
        # Sums change where they lie. Other rows of 2 to 8 kB stay whole: packing costs more than all else of them.
        room = "fillfactor = 70" if hasattr(row_type, "__sums__") else "toast_tuple_target = 8160"
        connection.execute(text(f'CREATE TABLE {SCHEMA}."{name}" ({columns}, PRIMARY KEY ({key})) WITH ({room})'))
        connection.execute(text(f"COMMENT ON TABLE {SCHEMA}.\"{name}\" IS '{_mark(projection, generation)}'"))
        for index in shape.indexes:
            listed = ", ".join(f'"{column}"' for column in index)
            connection.execute(text(f'CREATE INDEX ON {SCHEMA}."{name}" ({listed})'))


def drop_tables(connection: Connection, projection: Projection, generation: int) -> None:
    """Drop the tables of one generation, whatever version and row types they were made from."""
    query = text(
        "SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r' "
        "AND obj_description(oid, 'pg_class') = :mark"
    )
    mark = _mark(projection, generation)
    for name in connection.execute(query, {"schema": SCHEMA, "mark": mark}).scalars().all():
        connection.execute(text(f'DROP TABLE {SCHEMA}."{name}" CASCADE'))


def _mark(projection: Projection, generation: int) -> str:
    """The comment on a table that says whose it is; names alone could be those of another projection."""
    return f"projection {projection.name} generation {generation}"


def point_views(connection: Connection, projection: Projection, generation: int) -> None:
    """Let the stable names show this generation."""
    for row_type in projection.row_types:
        shape, view = shape_of(row_type), view_name(projection, row_type)
        columns = ", ".join(
            f'"{name}"::jsonb AS "{name}"' if kind == "json" else f'"{name}"'
            for name, kind in zip(shape.names, shape.sql_types, strict=True)
        )
        table = table_name(projection, row_type, generation)
        connection.execute(text(f'DROP VIEW IF EXISTS {SCHEMA}."{view}"'))
        connection.execute(text(f'CREATE VIEW {SCHEMA}."{view}" AS SELECT {columns} FROM {SCHEMA}."{table}"'))
