"""One supplier's feed, read from its own stream of the log: numbered without gaps, complete, and nothing else."""

from sqlalchemy import func, select

from events.refs import Ref
from services.store.database import Database
from services.store.tables import log_events, log_streams


def stream_of(party: Ref) -> str:
    """The stream that holds what this party was told and answered; its version is the feed's number."""
    return f"feeds/{party}"


def entries(database: Database, party: Ref, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to `limit` entries after a number: (number, stored bytes of the event)."""
    query = select(log_events.c.stream_version, log_events.c.body).where(
        log_events.c.stream == stream_of(party), log_events.c.stream_version > after
    )
    with database.connect() as connection:
        rows = connection.execute(query.order_by(log_events.c.position).limit(limit)).all()
    return [(int(version), bytes(body)) for version, body in rows]


def length(database: Database, party: Ref) -> int:
    """The number of the feed's last entry; 0 while it is empty."""
    query = select(func.coalesce(func.max(log_streams.c.version), 0)).where(log_streams.c.stream == stream_of(party))
    with database.connect() as connection:
        return int(connection.execute(query).scalar_one())
