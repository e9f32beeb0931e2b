"""Parking: events that a fold could not take are set aside, counted and shown, and tried again on request."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from projections.folds.fold import Projection
from services.store.database import Database
from services.store.log import Clock
from services.store.projecting.folding import Refusal
from services.store.tables import parked_events

_words = structlog.get_logger("projector")


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that a fold could not take: counted, shown, and tried again on request."""

    projection: str
    position: int
    error: str
    parked_at: datetime


def park(connection: Connection, clock: Clock, projection: Projection, refused: Iterable[Refusal]) -> None:
    """Set these events aside, in the transaction that folded the others."""
    for item in refused:
        _words.error("event parked", projection=projection.name, position=item.position, error=item.reason)
        values = {"projection": projection.name, "position": item.position, "error": item.reason}
        statement = upsert(parked_events).values(**values, parked_at=clock())
        connection.execute(statement.on_conflict_do_nothing())


def parked(database: Database) -> list[Parked]:
    """The events set aside, oldest first."""
    with database.connect() as connection:
        rows = connection.execute(select(parked_events).order_by(parked_events.c.position)).all()
    return [Parked(row.projection, row.position, row.error, row.parked_at) for row in rows]
