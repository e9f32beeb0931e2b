"""The projector: folds the log into tables, batch by batch, each batch with its checkpoint in one transaction."""

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, select, text

from events.errors import NotFound, Refused, UnknownType
from projections.folds.fold import Projection
from services.store import leases, releases
from services.store.database import Database
from services.store.leases import Fenced, Lease
from services.store.log import Clock, Log, wall_clock
from services.store.projecting import generations, parking, shares
from services.store.projecting.folding import Refusal, Target, fold_carefully, known_part
from services.store.projecting.pages import PAGE, Moved, Pages
from services.store.projecting.parking import Parked
from services.store.projecting.rebuilding import Progress, Rebuild
from services.store.projecting.shapes import reading_table
from services.store.projecting.sharing import Sharing
from services.store.tables import parked_events

LEASE = "projector"
UNSETTLED = 100
"""How often what another process folds is waited for, while shares stand still, until all are at one position."""


class Projector:
    """Keeps the projections' tables up with the log. Several processes may run one; a lease decides who folds."""

    lease_s = leases.LEASE_S

    def __init__(
        self,
        database: Database,
        log: Log,
        projections: Sequence[Projection],
        owner: str,
        clock: Clock = wall_clock,
        page: int = PAGE,
    ) -> None:
        self.database = database
        self.log = log
        self.projections = {projection.name: projection for projection in projections}
        self.owner = owner
        self.clock = clock
        self.page = page
        self.lease: Lease | None = None
        self.sharing = Sharing(database, log, projections, clock, self._release, page)
        metadata = MetaData()
        self._tables = {
            row_type: reading_table(projection, row_type, metadata)
            for projection in projections
            for row_type in projection.row_types
        }

    def prepare(self) -> None:
        """Make the tables of projections that have none, or whose version changed (those are folded anew, whole)."""
        with self.database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(7031990003)"))
            for projection in self.projections.values():
                found = generations.live(connection, projection.name)
                if found is None or found.version != projection.version:
                    shares.alone(connection)
                    self._swap(connection, projection, generations.begin(connection, projection).generation, ())

    def table(self, row_type: type[Any]) -> Table:
        """The live rows of a row type, for readers' SQL."""
        return self._tables[row_type]

    def positions(self) -> dict[str, int]:
        """How far each projection is."""
        with self.database.connect() as connection:
            return self._positions(connection)

    def _positions(self, connection: Connection) -> dict[str, int]:
        found = generations.positions(connection)
        return {name: position for name, position in found.items() if name in self.projections}

    def position(self) -> int:
        """The position that all projections have reached."""
        return min(self.positions().values(), default=0)

    def _whole(self) -> int:
        """The position that those have reached which are folded whole, by whom the lease belongs to."""
        with self.database.connect() as connection:
            found = generations.positions(connection, whole=True)
        return min((at for name, at in found.items() if name in self.projections), default=2**62)

    def stopped(self) -> str | None:
        """Why nothing can be folded any further: the next event is of a newer release; None while that is not so."""
        try:
            known_part(self.log.read_positions([self.position() + 1]), self._release)
        except UnknownType as error:
            return error.detail
        return None

    def _release(self, event_type: str) -> str | None:
        return releases.first_to_know(self.database, event_type)

    def catch_up(self, until: int | None = None, progress: Progress | None = None) -> int:
        """Fold up to `until` (the head by default); returns how many events moved on. 0 while another process folds.

        Raises UnknownType when the log holds an event of a newer release, LogHole when it is not contiguous.
        """
        self.lease = leases.take(self.database, LEASE, self.owner, self.lease_s)
        head = self.log.head()
        target = head if until is None else min(until, head)
        done = 0
        while self.lease is not None:
            if self._whole() >= target:
                break
            pages = Pages(self.database, self.log, self._live(), self._hold, self._done, self._release, self.page)
            start = pages.position
            try:
                pages.run(target, lambda position: self._beat(position, target, progress))
            except Fenced:
                self.lease = None
            except Moved:
                pass  # a rebuild swapped a generation in: go on with that one
            done += pages.position - start
        return done

    def _live(self) -> list[Target]:
        """The live generations that are folded whole, how far they are, and what waits for an event set aside."""
        with self.database.connect() as connection:
            found = [(one, generations.live(connection, one.name)) for one in self.projections.values()]
        targets = [Target(one, at.generation, at.position) for one, at in found if at is not None and not at.shares]
        self._block(targets)
        return targets

    def _block(self, targets: Sequence[Target], before: int = 2**62) -> None:
        """Block the streams of what was set aside before a position."""
        parked = [item for item in self.parked() if item.position < before]
        for target in targets:
            places = [item.position for item in parked if item.projection == target.projection.name]
            for event in self.log.read_positions(places) if places and not target.projection.order_free else ():
                target.block(event)

    def _hold(self, connection: Connection, targets: Sequence[Target]) -> None:
        """Hold the lease and the checkpoints until this transaction ends. Raises Fenced, Moved."""
        if self.lease is None:
            raise Fenced("The lease was let go.")
        leases.check(connection, self.lease)
        for target in targets:
            at = generations.locked(connection, target.projection.name)
            if (at.generation, at.position, at.shares) != (target.generation, target.position, 0):
                raise Moved(f"{target.projection.name} is at {at.position}, not at {target.position}.")

    def _done(self, connection: Connection, target: Target, position: int, refused: Sequence[Refusal]) -> None:
        parking.park(connection, self.clock, target.projection, refused)
        generations.move(connection, target.projection, target.generation, position)

    def _beat(self, position: int, target: int, progress: Progress | None) -> None:
        """Between pages: say how far it is, and hold on to the lease."""
        if progress:
            progress(position, target)
        renewed = leases.take(self.database, LEASE, self.owner, self.lease_s)
        if renewed is None or renewed != self.lease:
            raise Fenced("The lease went to another process.")

    def reach_head(self, seconds: float = leases.LEASE_S + 2.0, progress: Progress | None = None) -> bool:
        """Catch up with the head as it is now, or see other processes do it; returns whether all got there.

        Waits while another owner holds the lease: a process that was killed holds it until it expires. Shares that are
        not there by then are brought up from the database.
        """
        wanted, deadline = self.log.head(), time.monotonic() + seconds
        while True:
            self.catch_up(wanted, progress)
            if self.position() >= wanted:
                return True
            late = time.monotonic() > deadline
            if self._whole() >= wanted:  # shares are behind
                if late:
                    self.sharing.level(wanted)
            elif self.lease is not None or late:
                return False
            time.sleep(0.1)

    def let_go(self) -> None:
        """Give the lease back, so that the next process need not wait until it expires."""
        if self.lease is not None:
            leases.release(self.database, self.lease)
            self.lease = None

    def parked(self) -> list[Parked]:
        """The events set aside, oldest first."""
        return parking.parked(self.database)

    def retry_parked(self) -> int:
        """Fold the parked events again; returns how many went in."""
        return sum(self._retry(item) for item in self.parked() if item.projection in self.projections)

    def _retry(self, item: Parked) -> bool:
        projection = self.projections[item.projection]
        events = known_part(self.log.read(item.position - 1, 1), self._release)
        this = (parked_events.c.projection == item.projection) & (parked_events.c.position == item.position)
        with self.database.begin() as connection:
            if projection.divisible:
                shares.alone(connection)
            at = generations.locked(connection, projection.name)
            if connection.execute(select(parked_events.c.position).where(this)).first() is None:
                return False  # another process was quicker
            target = Target(projection, at.generation, at.position)
            if at.shares:
                target = self.sharing.target(connection, projection, at, events[0])
            self._block((target,), item.position)
            if fold_carefully(connection, self.log, target, events, until=target.position):
                return False
            connection.execute(delete(parked_events).where(this))
        return True

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Fold a projection from the start into fresh tables beside the live ones, then swap; returns the position.

        Raises NotFound for a name that is none, Refused while another process rebuilds it.
        """
        projection = self.projections.get(name)
        if projection is None:
            raise NotFound(f"There is no projection '{name}'; there are {', '.join(sorted(self.projections))}.")
        owner = f"{self.owner}:{secrets.token_hex(4)}"
        lease = leases.take(self.database, f"rebuild:{name}", owner)
        if lease is None:
            raise Refused(f"Another process is rebuilding {name}; wait for it, or try again in a minute.")
        try:
            again = Rebuild(self.database, self.log, projection, lease, self._release, self.page)
            return again.run(self._swap, progress)
        finally:
            leases.release(self.database, lease)

    def _swap(
        self, connection: Connection, projection: Projection, generation: int, refused: Sequence[Refusal]
    ) -> None:
        """Readers see this generation from now on, and the events that it could not fold."""
        generations.swap(connection, projection, generation)
        connection.execute(delete(parked_events).where(parked_events.c.projection == projection.name))
        parking.park(connection, self.clock, projection, refused)

    @contextmanager
    def standing_still(self) -> Iterator[int]:
        """The position that all projections are at, shares brought up to it; they stand still meanwhile.

        Where others fold on, or cannot, some may be further; then it is the least.
        """
        if not self.sharing.divided():
            yield self.position()
            return
        with shares.still(self.database):
            for _ in range(UNSETTLED):
                self.sharing.level(max(self.positions().values()), held=True)
                furthest = max(self.positions().values())
                self.catch_up(furthest)
                if self.position() == furthest:
                    break
                time.sleep(0.02)
            yield self.position()

    def digest(self, name: str) -> str:
        """SHA-256 (hex) over the state of a projection; a parked event makes it `incomplete:…`."""
        return self.standing((name,))[name][1]

    def digests(self) -> tuple[int, dict[str, str]]:
        """The position and every projection's digest at one moment. The position is that of the least advanced."""
        found = self.standing()
        return min((position for position, _ in found.values()), default=0), {n: one[1] for n, one in found.items()}

    def standing(self, names: Iterable[str] | None = None) -> dict[str, tuple[int, str]]:
        """Every projection's position and digest at one moment; or those of some."""
        with ExitStack() as stack:
            with self.standing_still():
                connection = stack.enter_context(self.database.snapshot())
                positions = self._positions(connection)  # the moment that this connection sees from now on
            return {
                name: (positions.get(name, 0), self._digest(connection, self.projections[name]))
                for name in sorted(self.projections if names is None else names)
            }

    def _digest(self, connection: Connection, projection: Projection) -> str:
        at = generations.live(connection, projection.name)
        digest = generations.digest(connection, projection, at.generation if at else 0)
        parked = select(parked_events.c.position).where(parked_events.c.projection == projection.name)
        mark = "incomplete:" if connection.execute(parked.limit(1)).first() else ""
        return mark + digest
