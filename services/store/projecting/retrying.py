"""Retrying: folding again what was set aside, each event in a transaction of its own.

The checkpoint stays where it is. So a page that was folded meanwhile, from rows as they were before, must not be
written: who folds is made to begin it again.
"""

from collections.abc import Mapping

from sqlalchemy import delete, select

from projections.folds.fold import Projection
from services.store import leases
from services.store.database import Database
from services.store.log import Log
from services.store.projecting import generations, parking, shares
from services.store.projecting.folding import Releases, Target, fold_carefully, known_part
from services.store.projecting.parking import Parked
from services.store.projecting.sharing import Sharing
from services.store.tables import parked_events


class Retrying:
    """Folds parked events of these projections again. `lease` names the one of who folds their pages."""

    def __init__(
        self,
        database: Database,
        log: Log,
        projections: Mapping[str, Projection],
        sharing: Sharing,
        release_of: Releases,
        lease: str,
    ) -> None:
        self.database = database
        self.log = log
        self.projections = projections
        self.sharing = sharing
        self.release_of = release_of
        self.lease = lease

    def run(self) -> int:
        """How many went in."""
        return sum(self._retry(item) for item in parking.parked(self.database) if item.projection in self.projections)

    def _retry(self, item: Parked) -> bool:
        projection = self.projections[item.projection]
        events = known_part(self.log.read(item.position - 1, 1), self.release_of)
        this = (parked_events.c.projection == item.projection) & (parked_events.c.position == item.position)
        with self.database.begin() as connection:
            if projection.divisible:
                shares.alone(connection)
            leases.unsettle(connection, self.lease)  # before the checkpoint, as a page does
            at = generations.ours(connection, projection, lock=True)
            if at is None or connection.execute(select(parked_events.c.position).where(this)).first() is None:
                return False  # another version folds it now, or another process was quicker
            target = Target(projection, at.generation, at.position)
            if at.shares:
                target = self.sharing.target(connection, projection, at, events[0])
            parking.block(self.database, self.log, (target,), before=item.position)
            if fold_carefully(connection, self.log, target, events, until=target.position):
                return False
            connection.execute(delete(parked_events).where(this))
        return True
