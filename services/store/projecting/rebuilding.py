"""Rebuilding: a projection folded from the start into fresh tables beside the live ones, then swapped in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from projections.folds.fold import Projection
from services.store import leases
from services.store.database import Database
from services.store.leases import Lease
from services.store.log import Clock, Log
from services.store.projecting import generations, parking, shares
from services.store.projecting.folding import Refusal, Releases, Target
from services.store.projecting.pages import Pages

Progress = Callable[[int, int], None]
"""Called with (position reached, position wanted)."""
Allowed = Callable[[Connection], None]
"""Holds, until the transaction ends, what allows us to swap. Raises Fenced."""


def lease_name(name: str) -> str:
    """The lease of who folds a projection beside its live tables."""
    return f"rebuild:{name}"


def anybody(connection: Connection) -> None:
    """Who rebuilds may swap."""


@dataclass(frozen=True, slots=True)
class Folding:
    """What folding beside needs: the log, where to, by whom it is timed, and how many events make a page."""

    database: Database
    log: Log
    clock: Clock
    release_of: Releases
    size: int


class Rebuild:
    """Folds one projection beside its live tables, by who holds the lease of it."""

    def __init__(self, folding: Folding, projection: Projection, lease: Lease) -> None:
        self.folding = folding
        self.database = folding.database
        self.projection = projection
        self.lease = lease

    def run(self, progress: Progress | None) -> int:
        """Fold from the start, and swap once the live tables are reached; the position then.

        Raises UnknownType, LogHole, Fenced.
        """
        target, wanted = self._begin(), 0

        def beat(position: int) -> None:
            leases.take(self.database, self.lease.name, self.lease.owner)
            if progress:
                progress(position, max(position, wanted))

        while True:
            wanted = self._wanted()
            self._pages(target).run(wanted, beat)
            if self._swapped(target, anybody):
                return target.position

    def step(self, until: int, may_swap: Allowed | None) -> int:
        """A page further than it is, from where it was left, and swapped where the live tables are reached.

        Without `may_swap` nothing is swapped. By how many events it moved. Raises UnknownType, LogHole, Fenced.
        """
        target = self._left() or self._begin()
        parking.block(self.database, self.folding.log, (target,), beside=True)
        end = min(until, target.position + self.folding.size)
        moved = self._pages(target).run(end, lambda _: None)
        if may_swap is not None and target.position >= self._wanted():
            self._swapped(target, may_swap)
        return moved

    def _pages(self, target: Target) -> Pages:
        folding = self.folding
        owned = (self._hold, self._done, self._aside)
        return Pages(self.database, folding.log, (target,), *owned, folding.release_of, folding.size)

    def _left(self) -> Target | None:
        """Where somebody left off who folded this version."""
        with self.database.connect() as connection:
            at = generations.beside(connection, self.projection)
        return None if at is None else Target(self.projection, at.generation, at.position)

    def _begin(self) -> Target:
        with self.database.begin() as connection:
            leases.check(connection, self.lease)
            at = generations.locked(connection, self.projection.name)
            generations.drop_others(connection, self.projection, keep=at.generation)
            made = generations.begin(connection, self.projection)
            parking.begin(connection, self.projection, made.generation)
            return Target(self.projection, made.generation, 0)

    def _wanted(self) -> int:
        with self.database.connect() as connection:
            at = generations.live(connection, self.projection.name)
            return shares.furthest(connection, self.projection.name, at) if at else 0

    def _swapped(self, target: Target, may_swap: Allowed) -> bool:
        """Swap unless the live tables are further. They stand still from here on: nobody folds before the swap.

        Shares go on where they were in their partitions, and pass over what is folded here already.
        """
        name = self.projection.name
        with self.database.begin() as connection:
            if self.projection.divisible:
                shares.alone(connection)
            leases.check(connection, self.lease)
            may_swap(connection)
            at = generations.locked(connection, name)
            if target.position < shares.furthest(connection, name, at):
                return False
            divided = shares.read(connection, name, at.generation).values() if at.shares else ()
            swap(connection, self.projection, target.generation)
            if divided:
                moved = [replace(share, position=target.position) for share in divided]
                shares.add(connection, name, target.generation, moved)
        return True

    def _hold(self, connection: Connection, targets: Sequence[Target]) -> None:
        leases.check(connection, self.lease)

    def _done(self, connection: Connection, targets: Sequence[Target], position: int) -> None:
        generations.move(connection, [target.place for target in targets], position)

    def _aside(self, connection: Connection, target: Target, refused: Sequence[Refusal]) -> None:
        parking.park(connection, self.folding.clock, target.projection, refused, beside=target.generation)


def swap(connection: Connection, projection: Projection, generation: int) -> None:
    """Readers see this generation from now on, and the events that it could not fold."""
    generations.swap(connection, projection, generation)
    parking.swap(connection, projection, generation)
