"""Epochs: whether the log still continues what was signed, and where it went on after it was restored.

The last signed checkpoint is kept outside the database too. A database that was restored to an earlier state, or holds
another history, does not have it: then nothing is appended or signed until `lodestone recover` opens a new epoch.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy import Connection, func, select

from events.catalogue import type_of
from events.errors import Refused, Unavailable
from events.rules.ledger import EpochOpened
from services.store.database import Database
from services.store.sealing.checkpoints import Outside, of_size, sizes_near
from services.store.sealing.ledger import log_id
from services.store.sealing.notes import epoch_of, origin_of
from services.store.sealing.proofs import TreeHole, packed_leaves, right_edge
from services.store.sealing.tree import Growing
from services.store.tables import log_events, of_types
from services.verifier import parse_checkpoint

OPENED = type_of(EpochOpened)
LOOK_AGAIN_S = 1.0
"""How old an answer may be: a database is not restored under a running service in less time than this."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An epoch that was opened: `fork` is the last position that it shares with the history before."""

    epoch: int
    fork: int


def head_of(connection: Connection) -> int:
    """The last position of the log as this connection sees it; 0 for an empty log."""
    return int(connection.execute(select(func.coalesce(func.max(log_events.c.position), 0))).scalar_one())


def openings(connection: Connection) -> tuple[Opening, ...]:
    """The epochs of this log after the first, in order."""
    query = select(log_events.c.body).where(of_types([OPENED])).order_by(log_events.c.position)
    said = [orjson.loads(bytes(body))["data"] for body in connection.scalars(query)]
    ours = log_id(connection) if said else ""
    return tuple(Opening(data["epoch"], data["fork_position"]) for data in said if data["log"] == ours)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found: a checkpoint was signed that this database does not continue.

    `signed` is that checkpoint's size, `head` the last position of the log as it is. `shared` is the last position
    of which is known that both histories have it: the head of a log that is shorter, else 0. Where no checkpoint
    covered what was lost, a person says (`said`) what both have.
    """

    epoch: int
    signed: int
    head: int
    note: str | None
    said: int | None = None

    @property
    def shared(self) -> int:
        if self.said is not None:
            return self.said
        return self.head if self.head < self.signed else 0

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        if self.said is not None:
            return (
                f"No checkpoint covers what is lost: by your word, all after position {self.said} is of another state."
            )
        if self.head < self.signed:
            found = f"A checkpoint of {self.signed} events was signed, and the log in this database ends at {self.head}"
        else:
            found = f"The first {self.signed} events of the log are not those that were signed"
        return (
            f"{found}: it was restored from another state. Nothing is appended or signed until "
            "`lodestone recover` opens a new epoch; reading goes on."
        )


def restored(connection: Connection, outside: Outside) -> Restored | None:
    """Whether the log does not continue the checkpoint that is kept outside; None when all is well.

    Raises Unavailable when that file cannot be read as a checkpoint.
    """
    try:
        note = outside.read()
        if note is None:
            return None
        signed = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"{outside.path} cannot be read as the last signed checkpoint ({error}). Put back a good copy; or remove "
            "it, when `lodestone verify` is clean."
        ) from error
    epoch = max((opening.epoch for opening in openings(connection)), default=1)
    if signed.origin in {origin_of(outside.log_id, before) for before in range(1, epoch)}:
        return None  # a later epoch was opened since, by another machine
    head = head_of(connection)
    if head < signed.size and connection.execute(select(func.pg_is_in_recovery())).scalar_one():
        return None  # a standby that is behind; it takes no writes, and is asked again when it was promoted
    if head >= signed.size and _root_at(connection, signed.size) == signed.root:
        return None
    return Restored(max(epoch, epoch_of(signed.origin)), signed.size, head, note)


def unsealed(connection: Connection, said: int) -> Restored:
    """What a person says was lost after this position, though nothing that was signed contradicts the log.

    Raises Refused for a position that the log does not have.
    """
    head = head_of(connection)
    if said > head:
        raise Refused(f"The log ends at position {head}; name the last position that it shares with what was lost.")
    epoch = max((opening.epoch for opening in openings(connection)), default=1)
    return Restored(epoch, head, head, None, said)


def _root_at(connection: Connection, size: int) -> bytes | None:
    """The root of the log's tree at a size: as it was signed here, or hashed on from what was signed before.

    A dump may lack the last checkpoint of a log that stood still while it was taken: it continues it all the same.
    """
    kept = of_size(connection, size)
    if kept is not None:
        return kept.root
    below = sizes_near(connection, size)[:1]
    start = below[0] if below and below[0] < size else 0
    try:
        tree = right_edge(connection, start) if start else Growing()
    except TreeHole:
        return None
    tree.add(packed_leaves(connection, start, size))
    return tree.root()


class Guard:
    """Refuses to append and to sign while the log does not continue what was signed; looks again every second."""

    def __init__(self, database: Database, data_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.data_dir = data_dir
        self.clock = clock
        self._lock = threading.Lock()
        self._looked = -LOOK_AGAIN_S
        self._found: Restored | None = None

    def __call__(self) -> None:
        """Raises Unavailable, saying what was found and what to do."""
        found = self.found()
        if found is not None:
            raise Unavailable(found.sentence, retry_after_s=60, signed=found.signed, head=found.head)

    def found(self) -> Restored | None:
        """What was found when last looked, at most a second ago; None when all is well."""
        with self._lock:
            if self.clock() - self._looked >= LOOK_AGAIN_S:
                self._found = self.look()
                self._looked = self.clock()
            return self._found

    def look(self) -> Restored | None:
        """Look now."""
        with self.database.connect() as connection:
            return restored(connection, Outside(self.data_dir, log_id(connection)))
