"""The projector: folds the log into tables, batch by batch, each batch with its checkpoint in one transaction."""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, Table, select, text

from events.errors import NotFound, Refused, Unavailable, UnknownType
from projections.folds.fold import Projection
from services.store import leases, releases
from services.store.database import Database
from services.store.leases import Fenced, Lease
from services.store.log import Clock, Log, wall_clock
from services.store.projecting import generations, parking, shares
from services.store.projecting.folding import Refusal, Target, known_part
from services.store.projecting.generations import Checkpoint
from services.store.projecting.pages import PAGE, Moved, Pages
from services.store.projecting.parking import Parked
from services.store.projecting.raising import Raising
from services.store.projecting.rebuilding import Folding, Progress, Rebuild, lease_name, swap
from services.store.projecting.retrying import Retrying
from services.store.projecting.shapes import reading_table
from services.store.projecting.sharing import Sharing
from services.store.tables import parked_events

LEASE = "projector"
OUTDATED = "outdated:"
"""In place of a digest where readers see what another version of the fold made."""
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
        self.whole = False
        """Whether all that readers see is of our versions, as was found when last caught up."""
        self.sharing = Sharing(database, log, projections, clock, self._release, page)
        self._folding = Folding(database, log, clock, self._release, page)
        self.raising = Raising(self._folding, projections, owner)
        metadata = MetaData()
        self._tables = {
            row_type: reading_table(projection, row_type, metadata)
            for projection in projections
            for row_type in projection.row_types
        }

    def prepare(self) -> None:
        """Make the tables of projections that have none. What an older version made stays until ours is there."""
        with self.database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(7031990003)"))
            for projection in self.projections.values():
                found = generations.live(connection, projection.name)
                if found is None or found.version == generations.UNFOLDED:
                    shares.alone(connection)
                    swap(connection, projection, generations.begin(connection, projection).generation)

    def table(self, row_type: type[Any]) -> Table:
        """The live rows of a row type, for readers' SQL."""
        return self._tables[row_type]

    def positions(self) -> dict[str, int]:
        """How far each projection is, as readers see it."""
        with self.database.connect() as connection:
            return self._positions(connection)

    def _positions(self, connection: Connection) -> dict[str, int]:
        found = generations.every(connection)
        return {name: at.position for name, at in found.items() if name in self.projections}

    def position(self) -> int:
        """The position that all projections have reached."""
        return min(self.positions().values(), default=0)

    def reading(self) -> int:
        """The position of what readers see. Raises Unavailable where this release cannot read what another one made."""
        with self.database.connect() as connection:
            found = generations.every(connection)
            for name, one in self.projections.items():
                if name in found and (words := self.raising.unreadable(connection, one, found[name].version)):
                    raise Unavailable(words, retry_after_s=5)
        return min((at.position for name, at in found.items() if name in self.projections), default=0)

    def _found(self) -> dict[str, Checkpoint]:
        with self.database.connect() as connection:
            return generations.every(connection)

    def live(self, found: Mapping[str, Checkpoint] | None = None) -> list[Target]:
        """The live generations of our versions that are folded whole, by whom the lease belongs to."""
        found = self._found() if found is None else found
        mine = [(one, found[name]) for name, one in self.projections.items() if name in found]
        return [
            Target(one, at.generation, at.position) for one, at in mine if at.version == one.version and not at.shares
        ]

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
        found = self._found()
        if self.raising.newer(found):
            self.whole = False
            self.let_go()  # a newer release folds on
            return 0
        self.lease = leases.take(self.database, LEASE, self.owner, self.lease_s)
        head = self.log.head()
        target, done = head if until is None else min(until, head), 0
        while self.lease is not None:
            targets = self.live(found)
            if min((one.position for one in targets), default=target) >= target:
                break
            parking.block(self.database, self.log, targets)
            pages = self._pages(targets)
            start = pages.position
            try:
                pages.run(target, lambda position: self._beat(position, target, progress))
            except Fenced:
                self.lease = None
            except Moved:
                pass  # a rebuild swapped a generation in: go on with that one
            done += pages.position - start
            found = self._found()
        self.whole = all(found[name].version == one.version for name, one in self.projections.items() if name in found)
        return done + self.raising.step(self.raising.older(found), target, self.lease)

    def _pages(self, targets: Sequence[Target]) -> Pages:
        owned = (self._hold, self._done, self._aside)
        return Pages(self.database, self.log, targets, *owned, self._release, self.page)

    def _hold(self, connection: Connection, targets: Sequence[Target]) -> None:
        """Hold the lease and the checkpoints until this transaction ends. Raises Fenced, Moved."""
        if self.lease is None:
            raise Fenced("The lease was let go.")
        leases.check(connection, self.lease)
        held = generations.held(connection, [target.projection.name for target in targets])
        for target in targets:
            at, name = (target.generation, target.position, 0), target.projection.name
            if held.get(name) != at:
                raise Moved(f"{name} is not at {target.position} of generation {target.generation} any more.")

    def _done(self, connection: Connection, targets: Sequence[Target], position: int) -> None:
        generations.move(connection, [target.place for target in targets], position)

    def _aside(self, connection: Connection, target: Target, refused: Sequence[Refusal]) -> None:
        parking.park(connection, self.clock, target.projection, refused)

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
            moved = self.catch_up(wanted, progress)
            if self.position() >= wanted:
                return True
            if moved:
                continue
            late = time.monotonic() > deadline
            there = min((one.position for one in self.live()), default=wanted) >= wanted
            if there and self.whole:  # shares are behind
                if late:
                    self.sharing.level(wanted)
            elif late or (self.whole and self.lease is not None):
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
        return Retrying(self.database, self.log, self.projections, self.sharing, self._release, LEASE).run()

    def rebuild(self, name: str, progress: Progress | None = None) -> int:
        """Fold a projection from the start into fresh tables beside the live ones, then swap; returns the position.

        Raises NotFound for a name that is none, Refused while another process rebuilds it.
        """
        projection = self.projections.get(name)
        if projection is None:
            raise NotFound(f"There is no projection '{name}'; there are {', '.join(sorted(self.projections))}.")
        owner = f"{self.owner}:{secrets.token_hex(4)}"
        lease = leases.take(self.database, lease_name(name), owner)
        if lease is None:
            raise Refused(f"Another process is rebuilding {name}; wait for it, or try again in a minute.")
        try:
            return Rebuild(self._folding, projection, lease).run(progress)
        finally:
            leases.release(self.database, lease)

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
        at = generations.ours(connection, projection)
        if at is None:
            return OUTDATED
        digest = generations.digest(connection, projection, at.generation)
        parked = select(parked_events.c.position).where(parked_events.c.projection == projection.name)
        mark = "incomplete:" if connection.execute(parked.limit(1)).first() else ""
        return mark + digest
