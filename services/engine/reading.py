"""Reading rows of projections back as the dataclasses that the folds wrote, by plain SQL."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

R = TypeVar("R")
CHUNK = 1000
"""How many keys one statement names."""


def rows(connection: Connection, table: Table, row_type: type[R], *where: Any) -> list[R]:
    """The rows that meet these conditions."""
    found = connection.execute(select(table).where(*where)).mappings()
    return [row_type(**dict(row)) for row in found]


def rows_among(
    connection: Connection, table: Table, row_type: type[R], column: str, keys: Iterable[str], *where: Any
) -> list[R]:
    """The rows whose column is one of these keys, in order of the keys' chunks."""
    found: list[R] = []
    for chunk in chunks(sorted(set(keys))):
        found += rows(connection, table, row_type, table.c[column].in_(chunk), *where)
    return found


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """The keys in portions that one statement takes."""
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
