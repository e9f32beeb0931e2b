"""Writing rows in bulk: COPY for new ones, arrays in binary for changed ones, sums added where they lie."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from psycopg import Connection as Raw

from projections.folds.written import Written, written
from services.store.projecting.shapes import SCHEMA, Shape

FEW = 12
"""For fewer rows than this a COPY costs more than it saves."""


def copy(raw: Raw[Any], table: str, shape: Shape, rows: Sequence[Any]) -> None:
    """Add rows whose keys are not there yet."""
    if len(rows) < FEW:
        upsert(raw, table, shape, rows)
    else:
        _copy(raw, table, shape, map(shape.values, rows))


def append(raw: Raw[Any], table: str, shape: Shape, rows: Sequence[tuple[Any, ...]]) -> None:
    """Like `copy`, with rows as the values of their columns."""
    if len(rows) < FEW:
        upsert(raw, table, shape, [shape.row_type(*values) for values in rows])
    else:
        _copy(raw, table, shape, rows)


def _copy(raw: Raw[Any], table: str, shape: Shape, rows: Iterable[tuple[Any, ...]]) -> None:
    columns, encoders = ", ".join(f'"{name}"' for name in shape.names), _encoders(shape)
    with raw.cursor() as cursor, cursor.copy(f'COPY {SCHEMA}."{table}" ({columns}) FROM STDIN (FORMAT BINARY)') as into:
        into.set_types(["text" if kind == "json" else kind for kind in shape.sql_types])  # the same bytes
        if not encoders:
            for row in rows:
                into.write_row(row)
            return
        for row in rows:
            values = list(row)
            for at, encode in encoders:
                values[at] = encode(values[at])
            into.write_row(values)


def upsert(raw: Raw[Any], table: str, shape: Shape, rows: Sequence[Any]) -> None:
    """Store rows under their keys, in place of what is there."""
    if not rows:
        return
    others = [name for name in shape.names if name not in shape.key]
    update = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    _insert(raw, table, shape, rows, f"DO UPDATE SET {update}" if others else "DO NOTHING")


def add(raw: Raw[Any], table: str, shape: Shape, rows: Sequence[Any]) -> None:
    """Add the sums of these rows to those of their keys; rows whose sums are then all zero go."""
    if not rows:
        return
    sums = shape.row_type.__sums__
    update = ", ".join(f'"{name}" = t."{name}" + excluded."{name}"' for name in sums)
    _insert(raw, table, shape, rows, f"DO UPDATE SET {update}")
    falling = [row for row in rows if any(getattr(row, name) < 0 for name in sums)]
    if falling:
        zero = " AND ".join(f'r."{name}" = 0' for name in sums)
        remove(raw, table, shape, [tuple(getattr(row, name) for name in shape.key) for row in falling], zero)


def remove(raw: Raw[Any], table: str, shape: Shape, keys: Sequence[tuple[Any, ...]], condition: str = "TRUE") -> None:
    """Remove the rows with these keys, those that fulfil the condition."""
    if not keys:
        return
    arrays = ", ".join(f"%b::{kind}[]" for kind in shape.key_types)
    names = ", ".join(f'"{name}"' for name in shape.key)
    equal = " AND ".join(f'r."{name}" = k."{name}"' for name in shape.key)
    raw.execute(
        f'DELETE FROM {SCHEMA}."{table}" r USING unnest({arrays}) AS k({names}) WHERE {equal} AND {condition}',
        [list(column) for column in zip(*keys, strict=True)],
    )


def _insert(raw: Raw[Any], table: str, shape: Shape, rows: Sequence[Any], conflict: str) -> None:
    columns = ", ".join(f'"{name}"' for name in shape.names)
    picked = ", ".join(
        f'"{name}"::json' if kind == "json" else f'"{name}"'
        for name, kind in zip(shape.names, shape.sql_types, strict=True)
    )
    arrays = ", ".join(f"%b::{'text' if kind == 'json' else kind}[]" for kind in shape.sql_types)
    key = ", ".join(f'"{name}"' for name in shape.key)
    statement = (
        f'INSERT INTO {SCHEMA}."{table}" AS t ({columns}) '
        f"SELECT {picked} FROM unnest({arrays}) AS r({columns}) ON CONFLICT ({key}) {conflict}"
    )
    found = [list(map(attrgetter(name), rows)) for name in shape.names]
    for at, encode in _encoders(shape):
        found[at] = list(map(encode, found[at]))
    raw.execute(statement, found)


def _encoders(shape: Shape) -> list[tuple[int, Callable[[Any], Any]]]:
    kinds = {"json": _text if hasattr(shape.row_type, "__finite__") else _json, "double precision": _double}
    return [(at, kinds[kind]) for at, kind in enumerate(shape.sql_types) if kind in kinds]


def _text(value: Any) -> str | None:
    """The value as JSON."""
    return value if value is None or value.__class__ is Written else written(value)


def _json(value: Any) -> str | None:
    """The value as JSON. Raises ValueError for NaN and infinities, which would become null."""
    text = _text(value)
    if text is not None and "null" in text:
        json.dumps(value, allow_nan=False)
    return text


def _double(value: Any) -> float | None:
    """The value as a float. Raises ValueError for NaN and infinities."""
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number is NaN or infinite")
    return number
