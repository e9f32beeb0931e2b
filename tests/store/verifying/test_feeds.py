"""`verify` holds every signed head of a feed against the log: a withheld tail is proven by the supplier's own head."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.store.database import Database
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.sealing.feeds import Feeds, signed_head
from services.store.sealing.ledger import ledger_of
from services.store.sealing.notes import SigningKey, origin_of
from services.store.sealing.sealer import Sealer
from services.store.verifying import Verification, verify
from services.verifier import Tree
from tests.doors.notices import tell
from tests.store.facts import straight
from tests.store.sealing.plain import fill

PARTY = "magnus:magnus"


@dataclass
class Fed:
    """A sealed log with two feeds, one of which grew after its last seal."""

    log: Log
    data_dir: Path
    feeds: Feeds

    def verify(self, *saved: str) -> Verification:
        projector = Projector(self.log.database, self.log, (), "verifier")
        return verify(self.log, projector, lambda _: None, data_dir=self.data_dir, saved=saved)

    def head(self, entries: int | None = None, key: SigningKey | None = None) -> str:
        """A signed head of the feed as it is, or as if it had only so many entries."""
        size = self.log.head()
        with self.log.database.connect() as connection:
            ledger = ledger_of(connection)
            positions = [event.position for event in self.log.read_stream(f"feeds/{PARTY}")]
            until = size if entries is None else positions[entries - 1]
            tree: Tree = self.feeds.tree(connection, PARTY, until)
        signer = key or self.feeds.key(ledger, size)
        return signed_head(origin_of(ledger.log_id, ledger.epoch_at(size)), PARTY, tree, size, signer).note


@pytest.fixture
def fed(database: Database, log: Log, tmp_path: Path) -> Fed:
    feeds = Feeds(tmp_path)
    sealer = Sealer(database, log, tmp_path, "sealer", [feeds])
    for number in range(1, 4):
        fill(log, 10)
        tell(log, "magnus", number)
        tell(log, "ferrum", number)
        sealer.seal()
        sealer.anchor()
    sealer.finish()
    tell(log, "magnus", 4)
    return Fed(log, tmp_path, feeds)


def test_the_heads_that_were_kept_and_those_that_suppliers_have_hold(fed: Fed) -> None:
    assert fed.verify(fed.head()).problems == []


def test_a_withheld_tail_is_proven_by_the_head_that_the_supplier_was_given(fed: Fed) -> None:
    found = fed.verify(fed.head(entries=2))
    assert found.problems and f"holds 4 entries of the feed of {PARTY}" in found.problems[0]
    assert "its signed head is of 2 entries. A saved one" in found.problems[0]
    assert found.wrong_positions is not None and found.wrong_positions[1] == fed.log.head()


def test_a_head_by_a_key_that_is_not_the_logs_is_not_to_be_trusted(fed: Fed) -> None:
    with fed.log.database.connect() as connection:
        name = fed.feeds.key(ledger_of(connection), fed.log.head()).name
    other = SigningKey(name, Ed25519PrivateKey.generate())
    assert (
        "is not to be trusted. A saved one: The note is signed by none" in fed.verify(fed.head(key=other)).problems[0]
    )


@pytest.mark.parametrize("note", ["x/feeds/magnus:magnus", "x/feeds/magnus:magnus\n1\nAA\n\n— x y\n"])
def test_what_only_looks_like_a_head_is_a_problem_and_no_traceback(fed: Fed, note: str) -> None:
    assert "is not to be trusted" in fed.verify(note).problems[0]


def test_a_kept_head_that_was_changed_is_found(fed: Fed) -> None:
    with straight(fed.log.database.owner_url) as connection:
        connection.execute("ALTER TABLE log_feed_checkpoints DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE log_feed_checkpoints SET note = replace(note, E'\\n2\\n', E'\\n1\\n') WHERE size = 2"
        )
    assert "The one kept at" in fed.verify().problems[0]
