"""Suppliers' feeds: each a tree of its own over the leaves of the log, its head signed with the size of the log.

The tree is not stored: a feed holds what people are told, some thousands of entries in its life, and its root is
hashed from the leaves in a few milliseconds; an answering process keeps the right edge and reads what is new.
"""

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from events.catalogue import CATALOGUE
from events.envelope import Draft, utc_text
from events.errors import Refused, Unavailable
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.refs import parse_ref
from events.rules.ledger import FeedSealed
from services.store.sealing.checkpoints import Signed
from services.store.sealing.epochs import head_of
from services.store.sealing.keys import Keys
from services.store.sealing.ledger import SOURCE, Ledger, ledger_of, log_id, read_on
from services.store.sealing.ledger.anchors import anchored_size
from services.store.sealing.notes import SigningKey, checkpoint_text, origin_of, sign_note
from services.store.tables import log_checkpoints, log_events, log_feed_checkpoints, of_types
from services.verifier import Tree, node_hash

TYPES = frozenset(name for name, line in CATALOGUE.items() if line.stream == "feeds")
"""The types of the events that stand in feeds: what is new is found by the index on them."""


@dataclass(frozen=True, slots=True)
class FeedHead:
    """The head of a feed: how many entries, their root, the size of the log that holds them, and the signed note."""

    party: str
    size: int
    root: bytes
    log_size: int
    note: str


def stream_of(party: str) -> str:
    """The stream of a party's feed; its version is the feed's number."""
    return f"feeds/{party}"


def leaves(connection: Connection, party: str, after: int = 0, until: int | None = None) -> Iterator[bytes]:
    """The leaf hashes of a feed's entries in order: those after a number, up to a position of the log."""
    query = select(log_events.c.leaf_hash).where(log_events.c.stream == stream_of(party))
    if after:
        query = query.where(log_events.c.stream_version > after)
    if until is not None:
        query = query.where(log_events.c.position <= until)
    for row in connection.execute(query.order_by(log_events.c.position)):
        yield bytes(row.leaf_hash)


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf (from 0) is in the tree over these leaf hashes (RFC 9162, 2.1.3.1), level by level."""
    level, proof = list(hashes), list[bytes]()
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + (level[-1:] if len(level) % 2 else [])
        index >>= 1
    return proof


def signed_head(origin: str, party: str, tree: Tree, log_size: int, key: SigningKey) -> FeedHead:
    """The signed checkpoint of a feed: a log of its own by name, with one line that says how much of ours it covers."""
    text = f"{checkpoint_text(f'{origin}/{stream_of(party)}', tree.size, tree.root())}log {log_size}\n"
    return FeedHead(party, tree.size, tree.root(), log_size, sign_note(text, key))


def grown(connection: Connection, after: int, until: int) -> list[str]:
    """The parties whose feeds grew between two positions."""
    table = log_events
    query = select(table.c.stream).where(of_types(TYPES), table.c.position > after, table.c.position <= until)
    return sorted({stream.partition("/")[2] for stream in connection.scalars(query)})


def first_head(connection: Connection, party: str, number: int) -> FeedHead | None:
    """The oldest kept head of a feed that covers this entry."""
    table = log_feed_checkpoints
    return _head(connection, select(table).where(table.c.party == party, table.c.size >= number).order_by("log_size"))


def last_head(connection: Connection, party: str, until: int | None = None) -> FeedHead | None:
    """The newest kept head of a feed, of a log of at most this size."""
    table = log_feed_checkpoints
    query = select(table).where(table.c.party == party)
    if until is not None:
        query = query.where(table.c.log_size <= until)
    return _head(connection, query.order_by(table.c.log_size.desc()))


def _head(connection: Connection, query: Select[Any]) -> FeedHead | None:
    row = connection.execute(query.limit(1)).first()
    return None if row is None else FeedHead(row.party, row.size, bytes(row.root), row.log_size, row.note)


def keep(connection: Connection, head: FeedHead, signed_at: datetime) -> None:
    """Keep the signed head of a feed; for a size of the log there is one for ever."""
    connection.execute(insert(log_feed_checkpoints).values(**asdict(head), signed_at=signed_at))


def _draft(log: str, head: FeedHead, origin: Origin) -> Draft:
    model = FeedSealed(
        log=log,
        party=parse_ref(head.party),
        size=head.size,
        root=base64.b64encode(head.root).decode(),
        log_size=head.log_size,
        note=head.note,
    )
    what = f"{head.party}/{head.size}/{head.log_size}"
    return draft(model, id=conclusion_id(log, "feed_sealed", what), origin=origin)


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a feed's tree, and the leaf at its end."""

    size: int
    peaks: tuple[bytes, ...]
    last: bytes


class Feeds:
    """Signs the heads of feeds: of those that grew beside each checkpoint of the log, and of any for an answer.

    `guard` refuses while the log does not continue what was signed; nothing is signed then.
    """

    def __init__(self, data_dir: Path, guard: Callable[[], None] = lambda: None) -> None:
        self.data_dir = data_dir
        self.guard = guard
        self._edges = dict[str, Edge]()
        self._ledger: Ledger | None = None
        self._lock = threading.Lock()

    def seal(self, connection: Connection, signed: Signed, key: SigningKey) -> None:
        """Sign and keep the heads of the feeds that grew since the checkpoint before this one."""
        table = log_checkpoints
        before = select(func.coalesce(func.max(table.c.size), 0)).where(table.c.size < signed.size)
        origin = signed.note.partition("\n")[0]
        for party in grown(connection, connection.execute(before).scalar_one(), signed.size):
            head = signed_head(origin, party, self.tree(connection, party, signed.size), signed.size, key)
            keep(connection, head, signed.signed_at)

    def drafts(self, connection: Connection, signed: Signed) -> list[Draft]:
        """The heads of the feeds that grew since the last checkpoint that the log carries, as events."""
        table, log = log_feed_checkpoints, log_id(connection)
        query = select(table.c.party).where(table.c.log_size > anchored_size(connection))
        parties = connection.scalars(query.where(table.c.log_size <= signed.size).distinct()).all()
        heads = [last_head(connection, party, until=signed.size) for party in sorted(parties)]
        origin = Origin(SOURCE, utc_text(signed.signed_at))
        return [_draft(log, head, origin) for head in heads if head is not None]

    def may_sign(self) -> bool:
        """Whether the log continues what was signed. Asked before a snapshot is opened, for it needs a connection."""
        try:
            self.guard()
        except Unavailable:
            return False
        return True

    def head(self, connection: Connection, party: str) -> FeedHead | None:
        """The head of a feed as it stands in this snapshot, signed now; the last kept one where the key is not here.

        None when there is neither.
        """
        try:
            log_size = head_of(connection)
            ledger = self._read_on(connection, log_size)
            key = self.key(ledger, log_size)
        except Refused:
            return last_head(connection, party)
        origin = origin_of(ledger.log_id, ledger.epoch_at(log_size))
        return signed_head(origin, party, self.tree(connection, party, log_size), log_size, key)

    def key(self, ledger: Ledger, log_size: int) -> SigningKey:
        """The private key in force at a size of the log. Raises Refused when it is not here, or not in the log yet."""
        verifier = ledger.key_at(log_size)
        if verifier is None:
            raise Refused("The log has not introduced its first key yet; the first checkpoint is about to do it.")
        return Keys(self.data_dir, ledger.log_id).find(str(verifier))

    def _read_on(self, connection: Connection, log_size: int) -> Ledger:
        with self._lock:
            if self._ledger is None or self._ledger.read_to > log_size:
                self._ledger = ledger_of(connection)
            else:
                read_on(connection, self._ledger)
            return self._ledger

    def tree(self, connection: Connection, party: str, until: int) -> Tree:
        """The tree of a feed's entries up to a position of the log; goes on from where it stood the last time."""
        edge = self._edges.get(party)
        found = edge and _continued(edge, leaves(connection, party, edge.size - 1, until))
        if found is None:
            found = _continued(None, leaves(connection, party, until=until))
        tree, last = found or (Tree(), None)
        if last is not None:
            self._edges[party] = Edge(tree.size, tuple(tree.peaks), last)
        return tree


def _continued(edge: Edge | None, found: Iterator[bytes]) -> tuple[Tree, bytes] | None:
    """The tree with these leaves added, and its last leaf; with an edge the first of them must be the edge's own.

    None when there is no leaf, or when the edge is of another history.
    """
    tree, last = Tree(), next(found, None)
    if last is None or (edge is not None and last != edge.last):
        return None
    if edge is None:
        tree.add(last)
    else:
        tree.size, tree.peaks = edge.size, list(edge.peaks)
    for last in found:
        tree.add(last)
    return tree, last
