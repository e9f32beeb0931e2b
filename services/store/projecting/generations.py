"""Generations of a projection's tables: begun beside the live ones, swapped in within one transaction, dropped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update

from projections.folds.fold import Projection
from projections.folds.memory import digest_rows
from services.store.projecting.shapes import drop_tables, make_tables, point_views, stored_table
from services.store.tables import projection_checkpoints as checkpoints
from services.store.tables import reached

UNFOLDED = 0
"""No fold has this version: such tables are made anew, and nobody goes on with them."""
AT_ONCE = 1000
"""Rows that are in memory at once while a table is read whole."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A generation of tables, the projection's version that made it, and how far it is folded.

    `shares` is 0 for one that is folded whole, else into how many shares it is divided; it is as far as the last.
    """

    generation: int
    version: int
    position: int
    shares: int = 0


def live(connection: Connection, name: str, *, lock: bool = False) -> Checkpoint | None:
    """The generation that readers see; with `lock` nobody else folds into it until this transaction ends."""
    this = (checkpoints.c.name == name) & checkpoints.c.live
    if lock:  # a statement of its own: what the other reads must not be from before the wait
        connection.execute(select(checkpoints.c.name).where(this).with_for_update())
    columns = (checkpoints.c.generation, checkpoints.c.version, reached(), checkpoints.c.shares)
    row = connection.execute(select(*columns).where(this)).first()
    return None if row is None else Checkpoint(row.generation, row.version, row.position, row.shares)


def ours(connection: Connection, projection: Projection, *, lock: bool = False) -> Checkpoint | None:
    """The generation that readers see, where this version of the fold made it: what may be folded further."""
    found = live(connection, projection.name, lock=lock)
    return found if found is not None and found.version == projection.version else None


def beside(connection: Connection, projection: Projection) -> Checkpoint | None:
    """The newest generation of this version that readers do not see yet: where somebody left off."""
    this = (checkpoints.c.name == projection.name) & ~checkpoints.c.live & (checkpoints.c.version == projection.version)
    query = select(checkpoints.c.generation, checkpoints.c.version, checkpoints.c.position).where(this)
    row = connection.execute(query.order_by(checkpoints.c.generation.desc()).limit(1)).first()
    return None if row is None else Checkpoint(row.generation, row.version, row.position)


def every(connection: Connection) -> dict[str, Checkpoint]:
    """The generation that readers see of every projection."""
    columns = (checkpoints.c.name, checkpoints.c.generation, checkpoints.c.version, reached(), checkpoints.c.shares)
    rows = connection.execute(select(*columns).where(checkpoints.c.live)).all()
    return {row.name: Checkpoint(row.generation, row.version, row.position, row.shares) for row in rows}


def locked(connection: Connection, name: str) -> Checkpoint:
    """The live generation, locked. The projector has made one by `prepare`."""
    checkpoint = live(connection, name, lock=True)
    if checkpoint is None:
        raise LookupError(f"The projection {name} has no tables yet; prepare() makes them.")
    return checkpoint


def held(connection: Connection, names: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """Of the live generations of these projections (generation, position, shares), all of them locked.

    One that was swapped in while we waited for the lock is not among them.
    """
    columns = (checkpoints.c.name, checkpoints.c.generation, checkpoints.c.position, checkpoints.c.shares)
    these = checkpoints.c.live & checkpoints.c.name.in_(list(names))
    query = select(*columns).where(these).order_by(checkpoints.c.name).with_for_update()
    return {row.name: (row.generation, row.position, row.shares) for row in connection.execute(query)}


def begin(connection: Connection, projection: Projection, *, passing: bool = False) -> Checkpoint:
    """Empty tables beside the live ones; `passing` ones are made to be dropped, and nobody goes on with them."""
    newest = select(func.coalesce(func.max(checkpoints.c.generation), 0)).where(checkpoints.c.name == projection.name)
    generation = int(connection.execute(newest).scalar_one()) + 1
    make_tables(connection, projection, generation)
    values = {"name": projection.name, "generation": generation, "position": 0}
    values["version"] = UNFOLDED if passing else projection.version
    connection.execute(insert(checkpoints).values(**values, live=False))
    return Checkpoint(generation, projection.version, 0)


def move(connection: Connection, those: Iterable[tuple[str, int]], position: int) -> None:
    """These generations (name, number) are folded up to this position."""
    these = tuple_(checkpoints.c.name, checkpoints.c.generation).in_(list(those))
    connection.execute(update(checkpoints).where(these).values(position=position))


def swap(connection: Connection, projection: Projection, generation: int) -> None:
    """Let readers see this generation, and drop all others."""
    point_views(connection, projection, generation)
    drop_others(connection, projection, keep=generation)
    this = (checkpoints.c.name == projection.name) & (checkpoints.c.generation == generation)
    connection.execute(update(checkpoints).where(this).values(live=True))


def drop(connection: Connection, projection: Projection, generation: int) -> None:
    """Drop one generation that readers do not see."""
    drop_tables(connection, projection, generation)
    this = (checkpoints.c.name == projection.name) & (checkpoints.c.generation == generation)
    connection.execute(delete(checkpoints).where(this, ~checkpoints.c.live))


def drop_others(connection: Connection, projection: Projection, keep: int) -> None:
    """Drop what a rebuild replaced, or left behind when it was killed."""
    others = (checkpoints.c.name == projection.name) & (checkpoints.c.generation != keep)
    for generation in connection.execute(select(checkpoints.c.generation).where(others)).scalars().all():
        drop_tables(connection, projection, generation)
    connection.execute(delete(checkpoints).where(others))


def digest(connection: Connection, projection: Projection, generation: int) -> str:
    """SHA-256 (hex) over the state in one generation of a projection's tables; one table at a time, row by row."""
    shown = [row_type for row_type in projection.row_types if not getattr(row_type, "__hidden__", False)]
    hidden = {row_type: () for row_type in projection.row_types if row_type not in shown}
    return digest_rows({**hidden, **{one: _rows(connection, projection, one, generation) for one in shown}})


def _rows(
    connection: Connection, projection: Projection, row_type: type[Any], generation: int
) -> Iterator[Mapping[str, Any]]:
    query = select(stored_table(projection, row_type, generation))
    with connection.execute(query, execution_options={"yield_per": AT_ONCE}) as rows:
        for row in rows.mappings():
            yield dict(row)
