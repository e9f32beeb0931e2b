"""Sharing: folding a page of one partition into the live tables, in one transaction with its share's place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
from sqlalchemy import Connection, text

from events.envelope import Recorded
from events.errors import Unavailable
from events.partitions import partition_of
from projections.folds.fold import Projection
from services.store.database import Database
from services.store.log import Clock, Log
from services.store.projecting import generations, shares
from services.store.projecting.folding import Releases, Target, fold_carefully, known_part, mine, no_release
from services.store.projecting.mentions import EarlierInShares, Mentions
from services.store.projecting.pages import PAGE, Moved
from services.store.projecting.parking import park
from services.store.projecting.shares import Share

IDLE_S = 10
"""How long a page may hold its share's row without a word to the database: who is stopped then lets others go on."""
TRIES = 5
"""How often a page is tried that PostgreSQL gave up because two waited for each other."""

Places = Mapping[str, Share]
"""Where a share of each projection stands, by the projection's name."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one partition, in their order and upcast, and how things stand after them.

    Everything in the partition up to `position` is in `events`, or was before.
    """

    share: int
    events: Sequence[Recorded]
    position: int
    next_offset: int
    sequence: int | None


class Sharing:
    """Folds shares of divisible projections. Any number may do so; a share's row is compared before it moves."""

    def __init__(
        self,
        database: Database,
        log: Log,
        projections: Sequence[Projection],
        clock: Clock,
        release_of: Releases = no_release,
        size: int = PAGE,
    ) -> None:
        self.database = database
        self.log = log
        self.projections = tuple(one for one in projections if one.divisible)
        self.clock = clock
        self.release_of = release_of
        self.size = size

    def divide(self, partitions: int, but: Collection[str] = ()) -> dict[str, int]:
        """Divide what is whole into so many shares, `but` these; the number of shares of each of our version."""
        wanted = [one for one in self.projections if one.name not in but]
        found = {one.name: shares.divide(self.database, one, partitions) for one in wanted}
        return {name: count for name, count in found.items() if count is not None}

    def divided(self) -> list[Projection]:
        """The projections that are folded in shares."""
        with self.database.connect() as connection:
            found = [(one, generations.ours(connection, one)) for one in self.projections]
        return [one for one, at in found if at is not None and at.shares]

    def places(self, numbers: Sequence[int]) -> dict[int, Places]:
        """Where these shares stand, by number; of the projections that are divided only."""
        found: dict[int, dict[str, Share]] = {number: {} for number in numbers}
        with self.database.connect() as connection:
            for one in self.projections:
                at = generations.ours(connection, one)
                if at is not None and at.shares:
                    there = shares.read(connection, one.name, at.generation)
                    for number in numbers:
                        if number in there:
                            found[number][one.name] = there[number]
        return dict(found)

    def fold(self, page: Page, believed: Places) -> Places:
        """Fold a page; where its share stands then. `believed` is where it stood by what the caller knows.

        Raises Moved, and writes nothing, when that is not so: another process reads this partition now.
        """
        named = Mentions(self.log, self.projections, page.events)
        for left in reversed(range(TRIES)):
            try:
                with self.database.begin() as connection:
                    return self._fold(connection, page, believed, named)
            except Unavailable as error:
                if not left or not _gave_up(error):
                    raise
        raise AssertionError("the last try returns or raises")

    def _fold(self, connection: Connection, page: Page, believed: Places, named: Mentions) -> Places:
        page_of(connection)
        divided = self._counts(connection)
        if any(named.beyond(page.share, count) for count in divided.values()):
            shares.alone(connection)
            named.look_again()
        else:
            shares.together(connection)
        if self._counts(connection) != divided:
            raise Moved("A projection was divided or gathered meanwhile.")
        return {
            one.name: self._share(connection, one, page, believed[one.name], named)
            for one in self.projections
            if one.name in believed
        }

    def _counts(self, connection: Connection) -> dict[str, int]:
        """Into how many shares each projection is divided, those that are."""
        found = {one.name: generations.ours(connection, one) for one in self.projections}
        return {name: at.shares for name, at in found.items() if at is not None and at.shares}

    def _share(
        self, connection: Connection, projection: Projection, page: Page, believed: Share, named: Mentions
    ) -> Share:
        at = generations.ours(connection, projection)
        if at is None or not at.shares:
            raise Moved(f"{projection.name} is folded whole again.")
        shares.lock(connection, projection.name, at.generation, [page.share])
        there = shares.read(connection, projection.name, at.generation)
        share = there[page.share]
        if share.next_offset != believed.next_offset:
            raise Moved(
                f"Share {page.share} of {projection.name} is read up to {share.next_offset}, by another process."
            )
        if share.next_offset is not None and page.next_offset < share.next_offset:
            return share
        self._into(connection, projection, at.generation, there, page.share, page.events, named)
        now = Share(page.share, max(share.position, page.position), page.next_offset, page.sequence)
        shares.move(connection, projection.name, at.generation, now)
        return now

    def _into(
        self,
        connection: Connection,
        projection: Projection,
        generation: int,
        there: Mapping[int, Share],
        number: int,
        events: Sequence[Recorded],
        named: Mentions,
    ) -> None:
        """Fold the events of one share that it has not folded yet, and set those aside that it cannot."""
        target = _target(projection, generation, there, number, named)
        refused = fold_carefully(connection, self.log, target, mine(target, events))
        park(connection, self.clock, projection, refused)

    def target(
        self, connection: Connection, projection: Projection, at: generations.Checkpoint, event: Recorded
    ) -> Target:
        """The share that an event belongs to. The caller holds the checkpoint, alone."""
        there = shares.read(connection, projection.name, at.generation)
        number = partition_of(event.partition_key, at.shares)
        return _target(projection, at.generation, there, number, Mentions(self.log, (projection,), (event,)))

    def settle(self, stand: Mapping[int, tuple[int, int]], believed: Mapping[int, Places]) -> dict[int, Places]:
        """Shares read up to an offset, and all of theirs up to a position is folded: {share: (offset, position)}.

        Only shares that stand where they are believed to stand move, and never backwards.
        """
        after = {number: dict(places) for number, places in believed.items()}
        with self.database.begin() as connection:
            page_of(connection)
            shares.together(connection)
            for projection in self.projections:
                at = generations.ours(connection, projection)
                numbers = [number for number in stand if projection.name in believed.get(number, {})]
                if at is None or not at.shares or not numbers:
                    continue
                shares.lock(connection, projection.name, at.generation, numbers)
                there = shares.read(connection, projection.name, at.generation)
                for number in numbers:
                    offset, position = stand[number]
                    share = there[number]
                    if share.next_offset == believed[number][projection.name].next_offset:
                        now = replace(
                            share,
                            position=max(share.position, position),
                            next_offset=max(offset, share.next_offset or 0),
                        )
                        shares.move(connection, projection.name, at.generation, now)
                        after[number][projection.name] = now
        return dict(after)

    def restart(self, number: int, believed: Places) -> None:
        """Read a share's partition from its start again; what it has folded is passed over by position."""
        with self.database.begin() as connection:
            shares.together(connection)
            for name, place in believed.items():
                at = generations.live(connection, name)
                if at is None or not at.shares:
                    continue
                shares.lock(connection, name, at.generation, [number])
                share = shares.read(connection, name, at.generation)[number]
                if share.next_offset == place.next_offset:
                    shares.move(connection, name, at.generation, replace(share, next_offset=None, sequence=None))

    def level(self, until: int, *, held: bool = False) -> None:
        """Bring every share to where the furthest is, and at least to `until`, from the log in the database.

        `held`: the caller holds `shares.still`; else the others go on between two pages. Raises UnknownType, LogHole.
        """
        for projection in self.divided():
            while not self._level_page(projection, until, held):
                pass

    def _level_page(self, projection: Projection, until: int, held: bool) -> bool:
        """One page for all shares of a projection; whether they stand at one position then."""
        with self.database.begin() as connection:
            page_of(connection)
            if not held:
                shares.alone(connection)
            at = generations.ours(connection, projection)
            if at is None or not at.shares:
                return True
            there = shares.read(connection, projection.name, at.generation)
            low, high = at.position, max(until, *(share.position for share in there.values()))
            events = known_part(self.log.read(low, self.size, high), self.release_of) if low < high else []
            if not events:
                return True
            end = events[-1].position
            named = Mentions(self.log, (projection,), events)
            for number in sorted(there):
                if there[number].position < end:
                    own = [event for event in events if partition_of(event.partition_key, at.shares) == number]
                    self._into(connection, projection, at.generation, there, number, own, named)
                    there[number] = replace(there[number], position=end)
                    shares.move(connection, projection.name, at.generation, there[number])
        return end == high

    def gather(self, projection: Projection) -> int:
        """Give a projection back to one process; the position it is at then. Raises UnknownType, LogHole."""
        with shares.still(self.database):
            self.level(0, held=True)
            with self.database.begin() as connection:
                at = generations.locked(connection, projection.name)
                if at.shares:
                    shares.join(connection, projection.name, at.generation, at.position)
        return at.position


def _target(
    projection: Projection, generation: int, there: Mapping[int, Share], number: int, named: Mentions
) -> Target:
    """A share as what is folded into: it finds what the share of each event has folded."""
    positions = {one.number: one.position for one in there.values()}
    return Target(
        projection,
        generation,
        there[number].position,
        earlier=lambda log, until: EarlierInShares(named, number, positions, until),
    )


def page_of(connection: Connection) -> None:
    """Set the transaction of a page up. Rows follow from the log, so its commit need not be flushed: rows and place
    are lost together or not at all. A process that is stopped in the middle holds the others up no longer than a lease.
    """
    connection.execute(text("SET LOCAL synchronous_commit TO off"))
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_S}s'"))


def _gave_up(error: Unavailable) -> bool:
    """Whether two transactions waited for each other, and this was the one that PostgreSQL ended."""
    cause = error.__cause__
    origin = getattr(cause, "orig", cause)
    return isinstance(origin, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure))
