"""Recovering: a log that was restored goes on as a new epoch, and says in the log itself what it left behind."""

from datetime import datetime

from sqlalchemy import Connection, create_engine, delete, func, select, text, update

from events.envelope import utc_text
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.rules.ledger import EpochOpened
from services.store.database import Database
from services.store.log import Append, Log
from services.store.sealing.epochs import Restored
from services.store.sealing.ledger import SOURCE, log_id
from services.store.sealing.tree import HASH
from services.store.tables import (
    log_checkpoints,
    log_feed_checkpoints,
    log_leaves,
    log_nodes,
    parked_events,
    projection_checkpoints,
    projection_shares,
)

_SHORTEN = f"""
    UPDATE {log_leaves.name} SET hashes = substring(hashes FOR CAST((:size - start) * {HASH} AS integer))
    WHERE start + octet_length(hashes) / {HASH} > :size
"""
UNFOLDED = 0
"""No projection has this version: its tables are made anew."""


def open_epoch(database: Database, found: Restored, reason: str, now: datetime) -> int:
    """Open the next epoch after the last position that the log has; returns the position of its event.

    What was derived from positions that are no more is taken away first: a log whose tail was cut still has it, one
    that was restored as a whole has none. Raises IdentityConflict when another process did the same at this moment.
    """
    with database.begin() as connection:
        ours, stale = log_id(connection), _sealed_beyond(connection, found.head)
        _unfold(connection, found.head)
    if stale:
        _unseal(database, found.head)
    epoch = found.epoch + 1
    model = EpochOpened(log=ours, epoch=epoch, fork_position=found.shared, reason=reason, last_note=found.note)
    key, origin = conclusion_id(ours, "epoch_opened", str(epoch)), Origin(SOURCE, utc_text(now))
    log = Log(database)  # without the guard, which refuses until this very event
    try:
        outcome = log.append(Append((draft(model, id=key, origin=origin),)))[0]
    finally:
        log.close()
    assert outcome.position is not None
    return outcome.position


def _unfold(connection: Connection, head: int) -> None:
    """Projections that folded more than there is begin anew at the next `prepare`; nobody decides beyond the head."""
    table = projection_checkpoints
    beyond = update(table).where(table.c.position > head)
    shares = projection_shares
    ahead = select(shares.c.projection).where(
        shares.c.projection == table.c.name, shares.c.generation == table.c.generation, shares.c.position > head
    )
    connection.execute(beyond.where(table.c.name != "decider", table.c.shares == 0).values(version=UNFOLDED))
    connection.execute(update(table).where(table.c.shares > 0, ahead.exists()).values(version=UNFOLDED))
    connection.execute(beyond.where(table.c.name == "decider").values(position=head))
    connection.execute(delete(parked_events).where(parked_events.c.position > head))


def _sealed_beyond(connection: Connection, head: int) -> bool:
    largest = [func.max(log_checkpoints.c.size), func.max(log_feed_checkpoints.c.log_size)]
    return any((connection.execute(select(size)).scalar() or 0) > head for size in largest)


def _unseal(database: Database, head: int) -> None:
    """Take away checkpoints and nodes beyond the head. As the owner, who alone can switch the triggers off."""
    engine = create_engine(database.owner_url)
    with engine.begin() as connection:
        tables = (log_checkpoints, log_feed_checkpoints, log_leaves, log_nodes)
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
        connection.execute(delete(log_checkpoints).where(log_checkpoints.c.size > head))
        connection.execute(delete(log_feed_checkpoints).where(log_feed_checkpoints.c.log_size > head))
        size = connection.execute(select(func.coalesce(func.max(log_checkpoints.c.size), 0))).scalar_one()
        connection.execute(delete(log_leaves).where(log_leaves.c.start >= size))
        connection.execute(text(_SHORTEN), {"size": size})
        end = (log_nodes.c.index + 1).op("<<")(func.cast(log_nodes.c.level, log_nodes.c.level.type))
        connection.execute(delete(log_nodes).where(end > size))
        for table in tables:
            connection.execute(text(f"ALTER TABLE {table.name} ENABLE TRIGGER USER"))
    engine.dispose()
