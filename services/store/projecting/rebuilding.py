"""Rebuilding: a projection folded from the start into fresh tables beside the live ones, then swapped in."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from projections.folds.fold import Projection
from services.store import leases
from services.store.database import Database
from services.store.leases import Lease
from services.store.log import Log
from services.store.projecting import generations, shares
from services.store.projecting.folding import Refusal, Releases, Target
from services.store.projecting.pages import Pages

Progress = Callable[[int, int], None]
"""Called with (position reached, position wanted)."""
Swap = Callable[[Connection, Projection, int, Sequence[Refusal]], None]
"""Lets readers see a generation from now on, and the events that it could not fold."""


class Rebuild:
    """One rebuild, by who holds the lease of this projection's."""

    def __init__(
        self, database: Database, log: Log, projection: Projection, lease: Lease, release_of: Releases, size: int
    ) -> None:
        self.database = database
        self.log = log
        self.projection = projection
        self.lease = lease
        self.release_of = release_of
        self.size = size

    def run(self, swap: Swap, progress: Progress | None) -> int:
        """Fold, and swap once the live tables are reached; the position then. Raises UnknownType, LogHole, Fenced."""
        target = self._begin()
        pages = Pages(self.database, self.log, (target,), self._hold, self._done, self.release_of, self.size)
        wanted = 0

        def beat(position: int) -> None:
            leases.take(self.database, self.lease.name, self.lease.owner)
            if progress:
                progress(position, max(position, wanted))

        while True:
            with self.database.connect() as connection:
                wanted = self._wanted(connection)
            pages.run(wanted, beat)
            if self._swapped(target, swap):
                return target.position

    def _begin(self) -> Target:
        with self.database.begin() as connection:
            at = generations.locked(connection, self.projection.name)
            generations.drop_others(connection, self.projection, keep=at.generation)
            return Target(self.projection, generations.begin(connection, self.projection).generation, 0)

    def _wanted(self, connection: Connection) -> int:
        at = generations.live(connection, self.projection.name)
        return shares.furthest(connection, self.projection.name, at) if at else 0

    def _swapped(self, target: Target, swap: Swap) -> bool:
        """Swap unless the live tables are further. They stand still from here on: nobody folds before the swap.

        Shares go on where they were in their partitions, and pass over what is folded here already.
        """
        name = self.projection.name
        with self.database.begin() as connection:
            if self.projection.divisible:
                shares.alone(connection)
            leases.check(connection, self.lease)
            at = generations.locked(connection, name)
            if target.position < shares.furthest(connection, name, at):
                return False
            divided = shares.read(connection, name, at.generation).values() if at.shares else ()
            swap(connection, self.projection, target.generation, target.refused)
            if divided:
                moved = [replace(share, position=target.position) for share in divided]
                shares.add(connection, name, target.generation, moved)
        return True

    def _hold(self, connection: Connection, targets: Sequence[Target]) -> None:
        leases.check(connection, self.lease)

    def _done(self, connection: Connection, target: Target, position: int, refused: Sequence[Refusal]) -> None:
        target.refused += refused
        generations.move(connection, self.projection, target.generation, position)
