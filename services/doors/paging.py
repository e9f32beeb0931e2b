"""The one way of paging: an opaque `cursor`, a `limit`, and `{items, next_cursor, has_more}`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Connection, DateTime, Select, literal, tuple_

from events.errors import Fault, Invalid

T = TypeVar("T")
LIMIT = 100
LIMIT_MAX = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page the caller wants."""

    cursor: str | None
    limit: int

    def key(self, length: int) -> tuple[Any, ...] | None:
        """The key after which the page starts, None at the start. Raises Invalid."""
        if not self.cursor:
            return None
        try:
            key = orjson.loads(urlsafe_b64decode(self.cursor.encode("ascii") + b"=="))
        except ValueError as error:
            raise wrong_cursor() from error
        if not isinstance(key, list) or len(key) != length or not all(isinstance(part, str | int) for part in key):
            raise wrong_cursor()
        return tuple(key)


def wrong_cursor() -> Invalid:
    """The refusal of a cursor that is none of this list."""
    detail = "not a cursor of this list; send the next_cursor of the page before, or none for the first page"
    return Invalid(f"The cursor is {detail}.", errors=[Fault("/query/cursor", detail)])


def asked(
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before; none: from the start.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")] = LIMIT,
) -> Asked:
    """The dependency of every list."""
    return Asked(cursor, limit)


Page = Annotated[Asked, Depends(asked)]


def cursor_of(key: Sequence[str | int | datetime]) -> str:
    """The opaque cursor of a key; times are written in RFC 3339."""
    return urlsafe_b64encode(orjson.dumps(list(key))).decode("ascii").rstrip("=")


def numbered(items: list[Any], after: int, limit: int, name: str, cursor: Callable[[int], str]) -> dict[str, Any]:
    """A page of a list numbered by `name`, read with limit + 1; its `next_cursor` is never null."""
    page = items[:limit]
    last = int(page[-1][name]) if page else after
    return {"items": page, "next_cursor": cursor(last), "has_more": len(items) > limit}


def keyed(
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    page: Asked,
    item: Callable[[Any], Any],
) -> dict[str, Any]:
    """A page of `query` in the order of `keys` (unique together, all ascending); the last page has no next cursor."""
    after = page.key(len(keys))
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*(_bound(key, part) for key, part in zip(keys, after, strict=True))))
    rows = connection.execute(query.order_by(*keys).limit(page.limit + 1)).all()
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    following = cursor_of([getattr(rows[-1], str(key.key)) for key in keys]) if more else None
    return {"items": [item(row) for row in rows], "next_cursor": following, "has_more": more}


def _bound(column: ColumnElement[Any], part: Any) -> ColumnElement[Any]:
    """A part of the cursor as a value of the column's type. Raises Invalid."""
    try:
        value = datetime.fromisoformat(part) if isinstance(column.type, DateTime) else part
    except (TypeError, ValueError) as error:
        raise wrong_cursor() from error
    if not isinstance(value, column.type.python_type):
        raise wrong_cursor()
    return literal(value, column.type)


def listed(rows: Sequence[tuple[str, T]], page: Asked, item: Callable[[tuple[str, T]], Any]) -> dict[str, Any]:
    """A page of a short list that is in memory, in the order of its names."""
    after = page.key(1)
    rest = [row for row in rows if after is None or row[0] > str(after[0])]
    shown = rest[: page.limit]
    more = len(rest) > page.limit
    following = cursor_of([shown[-1][0]]) if more else None
    return {"items": [item(row) for row in shown], "next_cursor": following, "has_more": more}
