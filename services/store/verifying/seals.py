"""Every seal over the log, compared with the tree of its bytes: sealed leaves, stored nodes, signed checkpoints."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

import orjson
from sqlalchemy import Connection, select

from services.store.database import Database
from services.store.sealing.checkpoints import Outside
from services.store.sealing.keys import Keys
from services.store.sealing.ledger import Ledger, ledgers_of, log_id
from services.store.sealing.ledger.anchors import CHECKPOINT
from services.store.sealing.proofs import LOG, sealed_leaves
from services.store.sealing.tree import HASH, Growing, Node
from services.store.tables import log_checkpoints, log_events, log_nodes, of_types
from services.verifier import VerifierKey, Wrong, open_note, parse_checkpoint, parse_verifier_key

BATCH = 1000


@dataclass(frozen=True, slots=True, order=True)
class Witness:
    """A signed note that says what the log was at a size, and where the note is kept."""

    size: int
    where: str
    note: str
    log: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something that the log is not: between these positions, the first as near as the evidence allows."""

    first: int
    last: int
    sentence: str


@dataclass(slots=True)
class Seals:
    """All that was sealed, held against the tree as it grows again from the bytes."""

    database: Database
    data_dir: Path | None
    saved: tuple[str, ...] = ()
    growing: Growing = field(default_factory=Growing)
    sealed: int = 0
    """The size of the last checkpoint that held."""
    confirmed: int = 0
    """That of the last one by the present key: a key that was rotated out may be in anybody's hands by now."""
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    trusted: tuple[VerifierKey, ...] = ()
    _witnesses: Iterator[Witness] = field(default_factory=lambda: iter(()))
    _next: Witness | None = None

    def begin(self) -> Contradiction | None:
        """Read the keys that the log introduces and line up the checkpoints by size."""
        with self.database.connect() as connection:
            own = log_id(connection)
            self.ledgers = ledgers_of(connection)
        ledger = self.ledgers.setdefault(own, Ledger(own))
        wrong = self._keys(ledger)
        self._witnesses = merge(self._kept(own), self._anchored(), self._outside(ledger))
        self._next = next(self._witnesses, None)
        return wrong

    def take(self, leaves: Iterable[bytes]) -> Contradiction | None:
        """Go on with these leaf hashes; the first contradiction with anything that was sealed."""
        run = b"".join(leaves)
        start, end = self.growing.size, self.growing.size + len(run) // HASH
        with self.database.connect() as connection:
            wrong = _leaves(start, run, sealed_leaves(connection, start, end))
            if wrong:
                return wrong
            nodes = list[Node]()
            while self._next is not None and self._next.size <= end:
                cut = (self._next.size - start) * HASH
                nodes += self.growing.add(run[(self.growing.size - start) * HASH : cut])
                if wrong := self._check(self._next):
                    return wrong
                self._next = next(self._witnesses, None)
            nodes += self.growing.add(run[(self.growing.size - start) * HASH :])
            return _nodes(connection, nodes)

    def end(self, head: int) -> Contradiction | None:
        """After the last event: nothing may have been sealed beyond the head of the log, as it is now."""
        if self._next is not None and self._next.size > head:
            where, size = self._next.where, self._next.size
            return Contradiction(
                head + 1, size, f"{where} covers {size} events, and the log ends at {head}: it was cut."
            )
        with self.database.connect() as connection:
            beyond = sealed_leaves(connection, head, head + 1)
        if beyond:
            return Contradiction(head + 1, head + 1, f"the log ends at {head}, and more was sealed: it was cut.")
        return None

    def _check(self, witness: Witness) -> Contradiction | None:
        """One checkpoint against the tree at its size."""
        ledger = self.ledgers.setdefault(witness.log, Ledger(witness.log))
        first, size = min(self.confirmed + 1, witness.size), witness.size
        try:
            found = ledger.check(witness.note, self.trusted)
        except Wrong as error:
            return Contradiction(first, size, f"{witness.where} is not to be trusted: {error}")
        if found.root != self.growing.root():
            return Contradiction(
                first, size, f"the log up to {size} is not what {witness.where} was signed over; up to "
                f"{self.confirmed} a checkpoint by the present key confirms it.",
            )  # fmt: skip
        self.sealed = size
        if not ledger.keys or ledger.key_at(size) == ledger.keys[-1].verifier:
            self.confirmed = size
        return None

    def _keys(self, ledger: Ledger) -> Contradiction | None:
        """The keys that the log introduces are those in the folder, and each is signed for by the one before."""
        if self.data_dir is not None:
            mine = [key.verifier for key in Keys(self.data_dir, ledger.log_id).every()]
            self.trusted = tuple(mine[:1])
            for key, own in zip(ledger.keys, mine, strict=False):
                if key.verifier != own:
                    at = max(key.from_size, 1)
                    return Contradiction(at, at, f"a key is introduced that is not ours: {key.verifier}.")
        for one in self.ledgers.values():
            for at, statement, keys in one.statements:
                try:
                    for verifier in keys:
                        open_note(statement, [parse_verifier_key(verifier)])
                except Wrong as error:
                    return Contradiction(at, at, f"the statement that introduces a key does not hold: {error}")
        return None

    def _kept(self, own: str) -> Iterator[Witness]:
        """The checkpoints in the table, by size."""
        table, after = log_checkpoints, (-1, -1)
        while True:
            query = select(table.c.size, table.c.epoch, table.c.root, table.c.note).where(
                (table.c.size > after[0]) | ((table.c.size == after[0]) & (table.c.epoch > after[1]))
            )
            with self.database.connect() as connection:
                rows = connection.execute(query.order_by(table.c.size, table.c.epoch).limit(BATCH)).all()
            for size, epoch, root, note in rows:
                same = f"\n{size}\n{base64.b64encode(root).decode()}\n" in note
                yield Witness(size, f"The checkpoint of {size}", note if same else "", own)
                after = (size, epoch)
            if len(rows) < BATCH:
                return

    def _anchored(self) -> Iterator[Witness]:
        """The checkpoints that the log itself carries, by size."""
        table, after = log_events, 0
        while True:
            query = select(table.c.position, table.c.body).where(of_types([CHECKPOINT]), table.c.position > after)
            with self.database.connect() as connection:
                rows = connection.execute(query.order_by(table.c.position).limit(BATCH)).all()
            for position, body in rows:
                data = orjson.loads(bytes(body))["data"]
                yield Witness(data["size"], f"The checkpoint in position {position}", data["note"], data["log"])
                after = position
            if len(rows) < BATCH:
                return

    def _outside(self, ledger: Ledger) -> Iterator[Witness]:
        """The copy in the data folder, and those that somebody saved."""
        found = [("A saved checkpoint", note) for note in self.saved]
        kept = None if self.data_dir is None else Outside(self.data_dir, ledger.log_id).read()
        if kept is not None and kept not in ledger.left:
            found.append(("The checkpoint kept outside the database", kept))
        yield from sorted(Witness(_size(note), where, note, ledger.log_id) for where, note in found)


def _size(note: str) -> int:
    """The size that a note speaks of, whether it is to be trusted or not."""
    try:
        return parse_checkpoint(note.rpartition("\n\n")[0] + "\n").size
    except Wrong:
        return 0


def _leaves(start: int, run: bytes, sealed: bytes) -> Contradiction | None:
    """The first leaf that is not the one that was sealed at its place."""
    if run.startswith(sealed):
        return None
    for at in range(0, len(sealed), HASH):
        if run[at : at + HASH] != sealed[at : at + HASH]:
            position = start + at // HASH + 1
            return Contradiction(position, position, "its bytes are not those that were sealed at this position.")
    return None


def _nodes(connection: Connection, nodes: list[Node]) -> Contradiction | None:
    """The stored subtrees are those of the leaves below them."""
    table = log_nodes
    for level in sorted({level for level, _, _ in nodes}):
        ours = {index: digest for at, index, digest in nodes if at == level}
        query = select(table.c.index, table.c.hash).where(
            table.c.tree == LOG, table.c.level == level, table.c.index.between(min(ours), max(ours))
        )
        for index, digest in connection.execute(query):
            if bytes(digest) != ours.get(index, digest):
                first, last = (index << level) + 1, (index + 1) << level
                return Contradiction(first, last, "the stored tree over these positions is not that of their bytes.")
    return None
