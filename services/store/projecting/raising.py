"""Raising: what a new release folds differently is folded beside what readers see, page by page, and swapped in then.

The tables of the version before stay what readers see, as far as they are folded: by a release before this one that
still runs, or no further. A process that is killed in the middle is followed by the next one, where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from events.errors import Refused
from projections.folds.fold import Projection
from services.store import leases
from services.store.leases import Fenced, Lease
from services.store.projecting import generations, shapes
from services.store.projecting.generations import Checkpoint
from services.store.projecting.rebuilding import Folding, Progress, Rebuild, lease_name


@dataclass(frozen=True, slots=True)
class Raised:
    """A projection of which readers see the rows of another version of the fold.

    `seen` is that version and `version` ours; `position` is how far ours is folded beside, None where it is older than
    what readers see; `head` is where the log ends. `readable`: this release can read those rows.
    """

    name: str
    seen: int
    version: int
    position: int | None
    head: int
    readable: bool

    @property
    def sentence(self) -> str:
        """How it stands, for people."""
        if self.position is None:
            reads = "its rows are still read here" if self.readable else "this release cannot read its rows"
            return (
                f"{self.name} was folded by a newer release (version {self.seen}, here {self.version}): {reads}, and "
                f"nothing is folded here. Run that release; `lodestone rebuild {self.name}` goes back to this one."
            )
        reads = "until then readers see those of" if self.readable else "until then nobody here reads those of"
        return (
            f"{self.name} is being folded for this release (version {self.version}), up to position {self.position} of "
            f"{self.head} so far; {reads} version {self.seen}."
        )


class Raising:
    """Folds beside what another version made; any number may, the lease of a projection says who does so now."""

    def __init__(self, folding: Folding, projections: Sequence[Projection], owner: str) -> None:
        self.folding = folding
        self.database = folding.database
        self.projections = tuple(projections)
        self.owner = owner
        self._readable: dict[tuple[str, int], bool] = {}

    def older(self, found: Mapping[str, Checkpoint]) -> list[Projection]:
        """Those of which readers see the rows of an older version."""
        return [one for one in self.projections if one.name in found and found[one.name].version < one.version]

    def newer(self, found: Mapping[str, Checkpoint]) -> bool:
        """Whether readers see rows of a newer version: a newer release folds, and this one has to stand back."""
        return any(one.name in found and found[one.name].version > one.version for one in self.projections)

    def step(self, older: Sequence[Projection], until: int, lease: Lease | None) -> int:
        """A page of each; by how many events they moved. Who holds the projector's lease swaps what is there."""
        return sum(self._step(projection, until, lease) for projection in older)

    def ahead(self, projection: Projection, until: int, progress: Progress | None = None) -> int:
        """Fold beside up to a position and leave the swap to the start of this release; the position then."""
        while self._step(projection, until, None):
            if progress:
                progress(self._position(projection), until)
        reached = self._position(projection)
        if reached < until:
            raise Refused(f"Another process is folding {projection.name}, up to {reached} so far; wait for it.")
        return reached

    def _position(self, projection: Projection) -> int:
        with self.database.connect() as connection:
            at = generations.beside(connection, projection)
        return at.position if at else 0

    def _step(self, projection: Projection, until: int, lease: Lease | None) -> int:
        held = leases.take(self.database, lease_name(projection.name), self.owner)
        if held is None:
            return 0  # somebody rebuilds it, or is at a page of it

        try:
            may_swap = partial(leases.check, lease=lease) if lease else None
            return Rebuild(self.folding, projection, held).step(until, may_swap)
        except Fenced:
            return 0  # we were away too long, and another process goes on
        finally:
            leases.release(self.database, held)

    def shown(self) -> list[Raised]:
        """What is not of our version, for those who look on."""
        with self.database.connect() as connection:
            found = generations.every(connection)
            others = [one for one in self.projections if one.name in found and found[one.name].version != one.version]
            return [self._raised(connection, one, found[one.name].version) for one in others]

    def _raised(self, connection: Connection, projection: Projection, seen: int) -> Raised:
        at = generations.beside(connection, projection)
        position = None if seen > projection.version else at.position if at else 0
        reads, head = self._reads(connection, projection, seen), self.folding.log.head()
        return Raised(projection.name, seen, projection.version, position, head, reads)

    def unreadable(self, connection: Connection, projection: Projection, seen: int) -> str | None:
        """Why rows of the version that readers see cannot be read here; None where they can."""
        if seen == projection.version or self._reads(connection, projection, seen):
            return None
        return self._raised(connection, projection, seen).sentence

    def _reads(self, connection: Connection, projection: Projection, seen: int) -> bool:
        key = (projection.name, seen)
        if key not in self._readable:
            self._readable[key] = seen >= projection.readable_since and shapes.reads(connection, projection)
        return self._readable[key]
