"""Parking: events that a fold could not take are set aside, counted and shown, and tried again on request."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from projections.folds.fold import Projection
from services.store.database import Database
from services.store.log import Clock, Log
from services.store.projecting.folding import Refusal, Target
from services.store.tables import parked_events as table

_words = structlog.get_logger("projector")


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that a fold could not take: counted, shown, and tried again on request."""

    projection: str
    position: int
    error: str
    parked_at: datetime


def _place(projection: Projection, beside: int | None) -> str:
    """Whose events they are: the live tables', or those of a generation that readers do not see."""
    return projection.name if beside is None else f"{projection.name}/{beside}"


def park(
    connection: Connection,
    clock: Clock,
    projection: Projection,
    refused: Iterable[Refusal],
    *,
    beside: int | None = None,
) -> None:
    """Set these events aside, in the transaction that folded the others; `beside`: of a generation not yet seen."""
    for item in refused:
        place = _place(projection, beside)
        _words.error("event parked", projection=place, position=item.position, error=item.reason)
        statement = upsert(table).values(projection=place, position=item.position, error=item.reason, parked_at=clock())
        connection.execute(statement.on_conflict_do_nothing())


def begin(connection: Connection, projection: Projection, generation: int) -> None:
    """Of a generation that begins nothing is set aside yet."""
    connection.execute(delete(table).where(table.c.projection == _place(projection, generation)))


def swap(connection: Connection, projection: Projection, generation: int) -> None:
    """What was set aside of this generation is what readers see from now on."""
    connection.execute(delete(table).where(table.c.projection == projection.name))
    mine = table.c.projection == _place(projection, generation)
    connection.execute(update(table).where(mine).values(projection=projection.name))
    connection.execute(delete(table).where(table.c.projection.startswith(f"{projection.name}/", autoescape=True)))


def seen() -> ColumnElement[bool]:
    """Those of what readers see."""
    return table.c.projection.not_like("%/%")


def parked(database: Database) -> list[Parked]:
    """The events set aside of what readers see, oldest first."""
    with database.connect() as connection:
        rows = connection.execute(select(table).where(seen()).order_by(table.c.position)).all()
    return [Parked(row.projection, row.position, row.error, row.parked_at) for row in rows]


def block(
    database: Database, log: Log, targets: Iterable[Target], *, beside: bool = False, before: int = 2**62
) -> None:
    """Where order counts, block the streams of what was set aside before a position."""
    for target in targets:
        if target.projection.order_free:
            continue
        place = _place(target.projection, target.generation if beside else None)
        with database.connect() as connection:
            query = select(table.c.position).where(table.c.projection == place, table.c.position < before)
            places = connection.execute(query.order_by(table.c.position)).scalars().all()
        for event in log.read_positions(places) if places else ():
            target.block(event)
