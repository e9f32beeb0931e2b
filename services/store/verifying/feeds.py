"""Every signed head of a feed, held against the entries that the log holds up to the size that it names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select

from events.catalogue import type_of
from events.refs import ref_text
from events.rules.ledger import FeedSealed
from services.store.sealing.feeds import stream_of
from services.store.sealing.ledger import Ledger
from services.store.sealing.notes import origin_of
from services.store.tables import log_events, log_feed_checkpoints, of_types
from services.store.verifying.seals import Contradiction
from services.verifier import Checkpoint, Tree, VerifierKey, Wrong, open_note, parse_checkpoint

SEALED = type_of(FeedSealed)
PLACE = "/feeds/"


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head, where it is kept, and the log that it speaks of."""

    where: str
    note: str
    log: str

    @property
    def party(self) -> str:
        return self.note.partition("\n")[0].rpartition(PLACE)[2]


def is_of_a_feed(note: str) -> bool:
    """Whether this note is the checkpoint of a feed, and not of the log."""
    return PLACE in note.partition("\n")[0]


def check_feeds(
    connection: Connection,
    own: str,
    ledgers: Mapping[str, Ledger],
    trusted: Sequence[VerifierKey],
    saved: Iterable[str],
) -> Contradiction | None:
    """The first contradiction between a signed head and the log, whose leaves were verified before.

    `saved` are heads that suppliers kept: one that signs fewer entries than the log holds proves a withheld tail.
    """
    by_party = defaultdict[str, list[Head]](list)
    for head in [
        *_kept(connection, own),
        *_in_the_log(connection),
        *(Head("A saved one", note, own) for note in saved),
    ]:
        by_party[head.party].append(head)
    for party, heads in sorted(by_party.items()):
        wrong = _check(connection, party, heads, ledgers, trusted)
        if wrong is not None:
            return wrong
    return None


def _kept(connection: Connection, own: str) -> list[Head]:
    rows = connection.execute(select(log_feed_checkpoints.c.note, log_feed_checkpoints.c.log_size))
    return [Head(f"The one kept at {row.log_size}", row.note, own) for row in rows]


def _in_the_log(connection: Connection) -> list[Head]:
    query = select(log_events.c.position, log_events.c.body).where(of_types([SEALED]))
    found = list[Head]()
    for row in connection.execute(query):
        data = orjson.loads(bytes(row.body))["data"]
        if Head("", data["note"], "").party == ref_text(data["party"]):
            found.append(Head(f"The one in position {row.position}", data["note"], data["log"]))
    return found


def _check(
    connection: Connection,
    party: str,
    heads: Sequence[Head],
    ledgers: Mapping[str, Ledger],
    trusted: Sequence[VerifierKey],
) -> Contradiction | None:
    """The heads of one feed, from the shortest log on, while its tree grows again."""
    signed = list[tuple[int, Head, Checkpoint]]()
    for head in heads:
        try:
            signed.append(_opened(head, party, ledgers, trusted))
        except Wrong as error:
            return Contradiction(1, 1, f"a head of the feed of {party} is not to be trusted. {head.where}: {error}")
    table, tree, confirmed = log_events, Tree(), 0
    query = select(table.c.position, table.c.leaf_hash).where(table.c.stream == stream_of(party))
    entries = [(row.position, bytes(row.leaf_hash)) for row in connection.execute(query.order_by(table.c.position))]
    for size, head, found in sorted(signed, key=lambda one: one[0]):
        while tree.size < len(entries) and entries[tree.size][0] <= size:
            tree.add(entries[tree.size][1])
        if (found.size, found.root) != (tree.size, tree.root()):
            kind = "others" if found.size == tree.size else "entries"
            held = f"the log holds {tree.size} entries of the feed of {party} up to {size}"
            sentence = f"{held}, and its signed head is of {found.size} {kind}. {head.where}."
            return Contradiction(min(confirmed + 1, size), size, sentence)
        confirmed = size
    return None


def _opened(
    head: Head, party: str, ledgers: Mapping[str, Ledger], trusted: Sequence[VerifierKey]
) -> tuple[int, Head, Checkpoint]:
    """The size of the log that a head names, and what it says, by the key in force at that size. Raises Wrong."""
    ledger = ledgers.get(head.log, Ledger(head.log))
    found = parse_checkpoint(head.note.rpartition("\n\n")[0] + "\n")
    line = next((line for line in found.extensions if line.startswith("log ") and line[4:].isdecimal()), None)
    if line is None:
        raise Wrong("it does not name a size of the log.")
    size = int(line[4:])
    key = ledger.key_at(size)
    open_note(head.note, list(trusted) if key is None else [key])
    if found.origin != f"{origin_of(ledger.log_id, ledger.epoch_at(size))}/{stream_of(party)}":
        raise Wrong(f"it is of another log or epoch, {found.origin}.")
    return size, head, found
