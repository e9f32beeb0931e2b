"""Receipts: one entry of a feed with its proofs, complete in itself; `services.verifier` checks it offline."""

import base64
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from services.store.sealing import feeds, proofs
from services.store.sealing.feeds import FeedHead
from services.store.sealing.ledger import ledger_of
from services.store.tables import log_checkpoints, log_events
from services.verifier import RECEIPT

PENDING = "It is sealed at the next checkpoint; ask again, or wait for it with wait_s."


def receipt(connection: Connection, party: str, position: int) -> dict[str, Any]:
    """The receipt of an entry of a feed, by its position: always the same, by the first checkpoint that covers it.

    Before there is one, `sealed` is false and the proofs are null. `keys` only hints which key signed: whoever
    verifies has the key from elsewhere. The connection is a snapshot.
    """
    query = select(log_events.c.stream_version, log_events.c.body)
    query = query.where(log_events.c.position == position, log_events.c.stream == feeds.stream_of(party))
    row = connection.execute(query).one()
    sequence, body = int(row.stream_version), bytes(row.body)
    told: dict[str, Any] = {
        "format": RECEIPT,
        "sealed": False,
        "party": party,
        "sequence": sequence,
        "position": position,
        "event": _base64(body),
    }
    head = feeds.first_head(connection, party, sequence)
    note = None if head is None else _note_beside(connection, head)
    if head is None or note is None:
        return {**told, "detail": PENDING, "log": None, "feed": None, "keys": []}
    key = ledger_of(connection).key_at(head.log_size)
    leaves = list(feeds.leaves(connection, party, until=head.log_size))
    in_log = proofs.inclusion(proofs.log_tree(connection), position - 1, head.log_size)
    return {
        **told,
        "sealed": True,
        "log": {"checkpoint": note, "proof": _texts(in_log)},
        "feed": {"checkpoint": head.note, "proof": _texts(feeds.inclusion(leaves, sequence - 1))},
        "keys": [] if key is None else [str(key)],
    }


def _note_beside(connection: Connection, head: FeedHead) -> str | None:
    """The log's checkpoint that was signed together with the head of a feed: of the same size and epoch."""
    origin = head.note.partition("/feeds/")[0]
    query = select(log_checkpoints.c.note).where(log_checkpoints.c.size == head.log_size)
    return next((note for note in connection.scalars(query) if note.partition("\n")[0] == origin), None)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [_base64(found) for found in hashes]
