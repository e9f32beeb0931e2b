"""What the log says of its own keys and epochs, and which of them holds for a checkpoint of a size."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, select

from events.catalogue import type_of
from events.rules.ledger import EpochOpened, KeyIntroduced
from services.store.sealing.notes import origin_of
from services.store.tables import log_about, log_events, of_types
from services.verifier import Checkpoint, VerifierKey, Wrong, open_note, parse_checkpoint, parse_verifier_key

KEY, EPOCH = type_of(KeyIntroduced), type_of(EpochOpened)
SOURCE = "/services/ledger"


def log_id(connection: Connection) -> str:
    """The id that this log got when its tables were made."""
    return str(connection.execute(select(log_about.c.log_id)).scalar_one())


@dataclass(frozen=True, slots=True)
class KeyInForce:
    """A key and the sizes of the checkpoints that it signs: from one to another, both included; None: still.

    The first key signs from the start, a later one from the position of the event that introduces it: whoever holds
    the log up to a checkpoint knows which key must have signed it.
    """

    verifier: VerifierKey
    from_size: int
    until_size: int | None = None

    def covers(self, size: int) -> bool:
        return self.from_size <= size and (self.until_size is None or size <= self.until_size)


@dataclass(slots=True)
class Ledger:
    """The keys and epochs of one log, read on as the log grows."""

    log_id: str
    keys: list[KeyInForce] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=lambda: [(0, 1)])
    """(position, epoch): from which position on an epoch holds."""
    left: list[str] = field(default_factory=list)
    """The last notes of the histories that were left when an epoch was opened."""
    statements: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)
    """(position, note, verifier keys that must have signed it) of each introduction."""
    read_to: int = 0

    def take(self, position: int, event_type: str, data: dict[str, Any]) -> None:
        """One event of the log, in the order of the log. What other logs said, kept by an import, is not ours."""
        self.read_to = max(self.read_to, position)
        if event_type not in (KEY, EPOCH) or data["log"] != self.log_id:
            return
        if event_type == EPOCH:
            self.epochs.append((position, data["epoch"]))
            self.left.append(data.get("last_note") or "")
            return
        verifier = parse_verifier_key(data["verifier_key"])
        signers = [*(str(key.verifier) for key in self.keys[-1:]), data["verifier_key"]]
        self.statements.append((position, data["statement"], tuple(signers)))
        if self.keys:
            before = self.keys[-1]
            self.keys[-1] = KeyInForce(before.verifier, before.from_size, position - 1)
        self.keys.append(KeyInForce(verifier, position if self.keys else 0))

    def key_at(self, size: int) -> VerifierKey | None:
        """The key that signs a checkpoint of this size; None: no key is introduced yet."""
        return next((key.verifier for key in self.keys if key.covers(size)), None)

    def epoch_at(self, size: int) -> int:
        """The epoch in which a checkpoint of this size is signed now."""
        return max(epoch for position, epoch in self.epochs if position <= size)

    def check(self, note: str, first: Iterable[VerifierKey] = ()) -> Checkpoint:
        """What a checkpoint of this log says, signed by the key in force at its size. Raises Wrong.

        `first` are keys to trust while the log introduces none.
        """
        text, _ = open_note(note, [*(key.verifier for key in self.keys), *first])
        found = parse_checkpoint(text)
        if found.origin != origin_of(self.log_id, self.epoch_at(found.size)):
            raise Wrong(f"The checkpoint of {found.size} is of another log or epoch: {found.origin}.")
        expected = self.key_at(found.size)
        if expected is not None:
            try:
                open_note(note, [expected])
            except Wrong as error:
                raise Wrong(
                    f"The checkpoint of {found.size} is signed by a key that does not hold for this size; "
                    f"{expected.name}+{expected.key_hash.hex()} does."
                ) from error
        return found


def read_on(connection: Connection, ledger: Ledger, until: int | None = None) -> None:
    """Read the keys and epochs that the log introduced since the last time."""
    table = log_events
    query = select(table.c.position, table.c.type, table.c.body).where(
        of_types([KEY, EPOCH]), table.c.position > ledger.read_to
    )
    if until is not None:
        query = query.where(table.c.position <= until)
    for row in connection.execute(query.order_by(table.c.position)):
        ledger.take(row.position, row.type, orjson.loads(bytes(row.body))["data"])


def ledger_of(connection: Connection) -> Ledger:
    """The keys and epochs that this log has introduced."""
    ledger = Ledger(log_id(connection))
    read_on(connection, ledger)
    return ledger


def ledgers_of(connection: Connection) -> dict[str, Ledger]:
    """The keys and epochs of every log that speaks in this one: its own, and those whose export was imported."""
    found = dict[str, Ledger]()
    table = log_events
    query = select(table.c.position, table.c.type, table.c.body).where(of_types([KEY, EPOCH]))
    for row in connection.execute(query.order_by(table.c.position)):
        data = orjson.loads(bytes(row.body))["data"]
        found.setdefault(data["log"], Ledger(data["log"])).take(row.position, row.type, data)
    return found
