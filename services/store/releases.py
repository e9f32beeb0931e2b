"""Releases: which one first knew an event type here, so that an older one can say which to run."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from events.catalogue import CATALOGUE
from services.store.database import Database
from services.store.tables import event_types


def record(database: Database, release: str, now: datetime) -> None:
    """Note this release beside every type that none before it knew."""
    with database.begin() as connection:
        known = set(connection.execute(select(event_types.c.type)).scalars())
        new = [{"type": name, "release": release, "first_seen": now} for name in CATALOGUE if name not in known]
        if new:
            connection.execute(upsert(event_types).on_conflict_do_nothing(), new)


def first_to_know(database: Database, event_type: str) -> str | None:
    """The first release that ran here and knew this type; None when none recorded it."""
    query = select(event_types.c.release).where(event_types.c.type == event_type)
    with database.connect() as connection:
        found = connection.execute(query).scalar()
    return None if found is None else str(found)
