"""Shares: a projection divided by partition of the log's topic; where each stands, and who may fold beside whom."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, text, update

from projections.folds.fold import Projection
from services.store.database import Database
from services.store.projecting import generations
from services.store.tables import projection_checkpoints as checkpoints
from services.store.tables import projection_shares as table

ALONE = 7031990007
"""The advisory lock that each page of a share holds, with others or alone, from its first read to its commit."""
LONGEST_S = 120
"""How long one that stands still may rest in between; a process that was stopped in the middle frees the others."""


@dataclass(frozen=True, slots=True)
class Share:
    """One share: all events of its partition up to `position` are folded.

    `next_offset` is where reading its partition goes on, and `sequence` the number of the last record before; None
    where that was not read yet: then what is at or below `position` is passed over.
    """

    number: int
    position: int
    next_offset: int | None = None
    sequence: int | None = None


def together(connection: Connection) -> None:
    """Other shares may fold meanwhile: this transaction stays with what belongs to its own."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": ALONE})


def alone(connection: Connection) -> None:
    """No share folds, and none is divided or gathered, until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ALONE})


@contextmanager
def still(database: Database) -> Iterator[None]:
    """All shares stand still meanwhile, but for who holds this; a process that stops in here lets go in two minutes."""
    with database.begin() as connection:
        connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST_S}s'"))
        alone(connection)
        yield
        connection.execute(text("SELECT 1"))  # raises when it was taken from us


def read(connection: Connection, name: str, generation: int) -> dict[int, Share]:
    """The shares of a generation by number."""
    query = select(table.c.share, table.c.position, table.c.next_offset, table.c.sequence)
    rows = connection.execute(query.where(table.c.projection == name, table.c.generation == generation)).all()
    return {row.share: Share(row.share, row.position, row.next_offset, row.sequence) for row in rows}


def lock(connection: Connection, name: str, generation: int, numbers: Iterable[int]) -> None:
    """Hold these shares until the transaction ends."""
    mine = (table.c.projection == name) & (table.c.generation == generation) & table.c.share.in_(sorted(numbers))
    connection.execute(select(table.c.share).where(mine).order_by(table.c.share).with_for_update())


def move(connection: Connection, name: str, generation: int, share: Share) -> None:
    """The share stands here now."""
    mine = (table.c.projection == name) & (table.c.generation == generation) & (table.c.share == share.number)
    values = {"position": share.position, "next_offset": share.next_offset, "sequence": share.sequence}
    connection.execute(update(table).where(mine).values(**values))


def add(connection: Connection, name: str, generation: int, shares: Iterable[Share]) -> None:
    """Divide a generation into these shares. The caller holds its checkpoint, alone."""
    rows = [
        {
            "projection": name,
            "generation": generation,
            "share": one.number,
            "position": one.position,
            "next_offset": one.next_offset,
            "sequence": one.sequence,
        }
        for one in shares
    ]
    connection.execute(insert(table), rows)
    this = (checkpoints.c.name == name) & (checkpoints.c.generation == generation)
    connection.execute(update(checkpoints).where(this).values(shares=len(rows)))


def join(connection: Connection, name: str, generation: int, position: int) -> None:
    """Make a generation whole again, at this position. The caller holds its checkpoint, alone."""
    connection.execute(delete(table).where(table.c.projection == name, table.c.generation == generation))
    this = (checkpoints.c.name == name) & (checkpoints.c.generation == generation)
    connection.execute(update(checkpoints).where(this).values(shares=0, position=position))


def divide(database: Database, projection: Projection, count: int) -> int | None:
    """Divide a projection that is whole; the number of its shares then, another where it was divided before.

    None where what readers see was made by another version of the fold: ours is not there yet.
    """
    with database.connect() as connection:
        there = generations.ours(connection, projection)
    if there is None:
        return None
    if there.shares:
        return there.shares
    with database.begin() as connection:
        alone(connection)
        at = generations.locked(connection, projection.name)
        if not at.shares:
            add(connection, projection.name, at.generation, [Share(number, at.position) for number in range(count)])
        return at.shares or count


def furthest(connection: Connection, name: str, at: generations.Checkpoint) -> int:
    """How far the projection is folded at most: by the share that is furthest, where it is divided."""
    if not at.shares:
        return at.position
    return max(share.position for share in read(connection, name, at.generation).values())
