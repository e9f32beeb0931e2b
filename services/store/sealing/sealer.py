"""The sealer: grows the log's tree over what was appended and signs its head; one process at a time, by a lease.

A round is one transaction: the lease is checked in it, so that an owner that was paused for longer than its lease
writes nothing. What a checkpoint covers is committed with it. After the commit the note is copied outside the database.
From time to time a checkpoint is *anchored*: appended to the log as an event, so that the log carries its own seals.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from events.envelope import Draft
from events.errors import Refused
from services.store import leases
from services.store.database import Database
from services.store.leases import LEASE_S, Fenced, Lease
from services.store.log import Append, Log
from services.store.sealing import checkpoints
from services.store.sealing.checkpoints import Outside, Signed
from services.store.sealing.epochs import restored
from services.store.sealing.keys import Keys
from services.store.sealing.ledger import Ledger, ledger_of, read_on
from services.store.sealing.ledger.anchors import anchor_drafts, unanchored
from services.store.sealing.notes import SigningKey, checkpoint_text, origin_of, sign_note, signed_by
from services.store.sealing.proofs import LOG, TreeHole, packed_leaves, right_edge
from services.store.sealing.tree import Growing, Node
from services.store.tables import log_leaves, log_nodes

LEASE = "sealer"
PAGE = 65_536
"""Leaves in one transaction: 2 MB of hashes, 40 ms of hashing."""


class Beside(Protocol):
    """What else is sealed with the log (the suppliers' feeds)."""

    def seal(self, connection: Connection, signed: Signed, key: SigningKey) -> None:
        """In the transaction of a round: seal what the log holds up to the checkpoint that was just signed."""

    def drafts(self, connection: Connection, signed: Signed) -> Sequence[Draft]:
        """What is appended with the anchor of this checkpoint; the same call again gives the same drafts."""


@dataclass(slots=True)
class Edge:
    """Where the sealer stands: the tree's right edge, and the keys and epochs in the log up to it."""

    growing: Growing
    ledger: Ledger


class Sealer:
    """Seals the log. Any number of processes may have one; the lease decides which of them works."""

    lease_s = LEASE_S

    def __init__(self, database: Database, log: Log, data_dir: Path, owner: str, beside: Iterable[Beside] = ()) -> None:
        self.database = database
        self.log = log
        self.data_dir = data_dir
        self.owner = owner
        self.beside = tuple(beside)
        self.lease: Lease | None = None
        self._renewed = 0.0
        self._edge: Edge | None = None

    def seal(self) -> int:
        """Seal up to the head as it is now; returns how many events that were. 0 while another process seals.

        Raises Refused when the log does not continue what was signed, or its key is not here.
        """
        if not self.hold():
            return 0
        head, done = self.log.head(), 0
        while self.hold() and (edge := self._at()).growing.size < head:
            self._edge = None  # until the round is committed: what the tree in memory takes in may never be
            try:
                done += self._round(edge, min(head, edge.growing.size + PAGE))
            except Fenced:
                self.lease = None
                break
            self._edge = edge
        return done

    def hold(self) -> bool:
        """Take the lease, or renew it in time; whether we have it."""
        if self.lease is None or time.monotonic() - self._renewed > self.lease_s / 4:
            before, self.lease = self.lease, leases.take(self.database, LEASE, self.owner, self.lease_s)
            self._renewed = time.monotonic()
            if self.lease != before:
                self._edge = None  # another process may have sealed in between
        return self.lease is not None

    def let_go(self) -> None:
        """Give the lease back, so that another process can take it at once."""
        if self.lease is not None:
            leases.release(self.database, self.lease)
        self.lease, self._edge = None, None

    def _at(self) -> Edge:
        if self._edge is None:
            with self.database.connect() as connection:
                self._edge = self._found(connection)
        return self._edge

    def _found(self, connection: Connection) -> Edge:
        """Where the last checkpoint left the tree. Raises Refused when tree and log are not those it was signed on."""
        ledger, last = ledger_of(connection), checkpoints.latest(connection)
        self._check_outside(connection, ledger)
        if last is None:
            return Edge(Growing(), ledger)
        if not ledger.keys and not signed_by(last.note, self._keys(ledger).first()):
            raise Refused("The log was sealed before with a key of another machine; copy its folder of keys here.")
        growing = right_edge(connection, last.size)
        if growing.root() != last.root:
            raise Refused(
                f"The log differs from its last checkpoint, of {last.size} events, so nothing more is signed. "
                "`lodestone verify` says where."
            )
        return Edge(growing, ledger)

    def _check_outside(self, connection: Connection, ledger: Ledger) -> None:
        """The log must continue the checkpoint that is kept outside the database. Raises Refused."""
        found = restored(connection, Outside(self.data_dir, ledger.log_id))
        if found is not None:
            raise Refused(found.sentence)

    def _round(self, edge: Edge, until: int) -> int:
        """Seal up to a position, in one transaction. Raises Fenced when the lease went to another process."""
        growing, lease = edge.growing, self.lease
        assert lease is not None
        start = growing.size
        with self.database.begin() as connection:
            leases.check(connection, lease)
            leaves = packed_leaves(connection, start, until)
            nodes = growing.add(leaves)
            if growing.size != until:
                raise TreeHole(f"The log has no event at position {growing.size + 1}, and others after it.")
            write_leaves(connection, start, leaves)
            write_nodes(connection, LOG, nodes)
            read_on(connection, edge.ledger, growing.size)
            key = self.key_at(edge.ledger, growing.size)
            signed = self._signed(edge, key)
            checkpoints.keep(connection, signed)
            for part in self.beside:
                part.seal(connection, signed, key)
        Outside(self.data_dir, edge.ledger.log_id).write(signed.note)
        return growing.size - start

    def _signed(self, edge: Edge, key: SigningKey) -> Signed:
        """The checkpoint of the tree as it stands."""
        size, root = edge.growing.size, edge.growing.root()
        epoch = edge.ledger.epoch_at(size)
        note = sign_note(checkpoint_text(origin_of(edge.ledger.log_id, epoch), size, root), key)
        return Signed(epoch, size, root, note, self.log.clock())

    def anchor(self) -> bool:
        """Append the newest checkpoint to the log, when it covers more than the log's own seals; whether it did."""
        if not self.hold():
            return False
        with self.database.connect() as connection:
            signed = checkpoints.latest(connection)
            if signed is None or not unanchored(connection):
                return False
            ledger = ledger_of(connection)
            drafts = anchor_drafts(ledger, signed, self.key_at(ledger, signed.size))
            for part in self.beside:
                drafts += part.drafts(connection, signed)
        self.log.append(Append(tuple(drafts)))
        return True

    def finish(self) -> None:
        """Seal and anchor what is left, and give the lease back."""
        self.seal()
        if self.anchor():
            self.seal()
        self.let_go()

    def key_at(self, ledger: Ledger, size: int) -> SigningKey:
        """The private key in force at a size. Raises Refused when it is not here."""
        verifier = ledger.key_at(size)
        return self._keys(ledger).first() if verifier is None else self._keys(ledger).find(str(verifier))

    def _keys(self, ledger: Ledger) -> Keys:
        return Keys(self.data_dir, ledger.log_id)


def write_leaves(connection: Connection, start: int, hashes: bytes) -> None:
    """Write the log's leaf hashes from one leaf on."""
    connection.execute(insert(log_leaves).values(start=start, hashes=hashes))


def write_nodes(connection: Connection, tree: str, nodes: Iterable[Node]) -> None:
    """Write complete subtrees (level, index, hash) of a tree."""
    levels, indexes, hashes = [], [], []
    for level, index, digest in nodes:
        levels.append(level)
        indexes.append(index)
        hashes.append(digest)
    if hashes:
        raw: Any = connection.connection.driver_connection
        raw.execute(
            f"INSERT INTO {log_nodes.name} (tree, level, index, hash) "
            "SELECT %b::text, * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[])",
            (tree, levels, indexes, hashes),
        )
