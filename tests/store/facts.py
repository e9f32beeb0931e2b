"""Plain events for the tests of the store, and a connection that goes around it."""

from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

from events.envelope import Draft, draft_of
from services.store.database import Database

KIND = "lodestone.lots.lot_registered.v1"


def draft(stream: str = "lots/a", *, versioned: bool = False, id: str | None = None, **data: Any) -> Draft:
    """An event with this data for this stream."""
    event = {
        "specversion": "1.0",
        "type": KIND,
        "source": "/suppliers/magnus",
        "id": id or str(uuid4()),
        "time": "2026-03-01T08:00:00+01:00",
        "data": data or {"pieces": 1},
    }
    return draft_of(event, stream, versioned=versioned)


def straight(url: str) -> psycopg.Connection[Any]:
    """A connection of its own, each statement committed."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    with straight(database.owner_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
