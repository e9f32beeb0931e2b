"""The sealer: what it signs is the log, it goes on where it stopped, one works at a time, and it comes to rest."""

from pathlib import Path

import pytest
from sqlalchemy import text

from events.errors import Refused
from services.store import leases
from services.store.database import Database
from services.store.leases import Fenced
from services.store.log import Append, Log
from services.store.sealing import checkpoints
from services.store.sealing.checkpoints import Outside
from services.store.sealing.ledger import ledger_of
from services.store.sealing.notes import checkpoint_text, origin_of
from services.store.sealing.proofs import consistency, inclusion, log_tree, root_at
from services.store.sealing.sealer import LEASE, Sealer
from services.verifier import verify_consistency, verify_inclusion
from tests.store.facts import count, draft, straight
from tests.store.sealing.plain import fill, leaves, root


def latest(database: Database) -> checkpoints.Signed:
    with database.connect() as connection:
        found = checkpoints.latest(connection)
    assert found is not None
    return found


def another(sealer: Sealer, owner: str = "another") -> Sealer:
    return Sealer(sealer.database, sealer.log, sealer.data_dir, owner)


def test_an_empty_log_is_not_sealed(sealer: Sealer, database: Database) -> None:
    assert sealer.seal() == 0
    sealer.finish()
    assert count(database, "log_checkpoints") == 0
    assert sealer.log.head() == 0


def test_a_checkpoint_is_the_root_over_the_stored_bytes(sealer: Sealer, log: Log, database: Database) -> None:
    for more in (1, 254, 1, 1, 300):
        fill(log, more)
        assert sealer.seal() == more
        signed = latest(database)
        assert (signed.size, signed.root) == (log.head(), root(leaves(log)))
        with database.connect() as connection:
            ledger = ledger_of(connection)
        first = sealer._keys(ledger).first().verifier
        assert ledger.check(signed.note, [first]).root == signed.root


def test_another_process_goes_on_where_the_last_one_stopped(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 700)
    sealer.seal()
    sealer.let_go()
    fill(log, 333)
    assert another(sealer).seal() == 333
    assert latest(database).root == root(leaves(log))


def test_proofs_from_the_stored_tree_verify(sealer: Sealer, log: Log, database: Database) -> None:
    sizes = []
    for more in (3, 300, 500):
        fill(log, more)
        sealer.seal()
        sizes.append(log.head())
    hashes = leaves(log)
    with database.connect() as connection:
        read = log_tree(connection)
        for size in sizes:
            assert root_at(read, size) == root(hashes[:size])
            for leaf in (0, 2, size // 2, size - 1):
                verify_inclusion(hashes[leaf], leaf, size, inclusion(read, leaf, size), root(hashes[:size]))
        for old in (1, 3, 256, 303):
            proof = consistency(read, old, 803)
            verify_consistency(old, root(hashes[:old]), 803, root(hashes), proof)


def test_one_process_seals_at_a_time_and_another_takes_over(sealer: Sealer, log: Log) -> None:
    fill(log, 10)
    other = another(sealer)
    assert sealer.seal() == 10
    fill(log, 5)
    assert other.seal() == 0
    sealer.let_go()
    assert other.seal() == 5
    assert sealer.seal() == 0


def test_an_owner_that_was_paused_writes_nothing(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 10)
    sealer.seal()
    with straight(database.owner_url) as connection:
        connection.execute("UPDATE leases SET expires_at = now() - interval '1 minute' WHERE name = %s", (LEASE,))
    assert leases.take(database, LEASE, "another") is not None
    fill(log, 5)
    edge = sealer._at()
    with pytest.raises(Fenced):
        sealer._round(edge, 15)
    assert latest(database).size == 10
    assert sealer.seal() == 0


def test_a_round_that_failed_is_done_again_from_the_database(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 300)
    sealer.seal()
    fill(log, 300)
    with straight(database.owner_url) as connection:
        connection.execute("ALTER TABLE log_checkpoints RENAME TO elsewhere")
        with pytest.raises(Exception, match="not set up"):
            sealer.seal()
        connection.execute("ALTER TABLE elsewhere RENAME TO log_checkpoints")
    assert sealer.seal() == 300
    assert latest(database).root == root(leaves(log))


def test_an_anchor_is_appended_once_and_the_log_comes_to_rest(sealer: Sealer, log: Log) -> None:
    fill(log, 10)
    sealer.finish()
    kinds = [event.type.split(".")[2] for event in log.read(10, 10)]
    assert kinds == ["key_introduced", "checkpoint_signed"]
    for _ in range(3):
        sealer.finish()
    assert log.head() == 12
    fill(log, 1)
    sealer.finish()
    sealer.finish()
    assert [event.type.split(".")[2] for event in log.read(13, 10)] == ["checkpoint_signed"]


def test_the_anchor_itself_is_sealed(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 10)
    sealer.finish()
    assert latest(database).size == log.head() == 12


def test_an_anchor_that_was_interrupted_is_not_appended_twice(sealer: Sealer, log: Log) -> None:
    fill(log, 10)
    sealer.seal()
    sealer.anchor()
    with sealer.database.connect() as connection:
        assert checkpoints.of_size(connection, 10) is not None
    again = another(sealer)
    sealer.let_go()
    again.anchor()
    assert log.head() == 12


def test_the_last_note_is_kept_outside_the_database(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 10)
    sealer.seal()
    with database.connect() as connection:
        outside = Outside(sealer.data_dir, ledger_of(connection).log_id)
    assert outside.read() == latest(database).note
    assert outside.path.stat().st_mode & 0o77 == 0


def test_a_log_that_differs_from_its_last_checkpoint_is_not_signed(
    sealer: Sealer, log: Log, database: Database
) -> None:
    fill(log, 10)
    sealer.seal()
    with straight(database.owner_url) as connection:
        connection.execute("ALTER TABLE log_events DISABLE TRIGGER ALL")
        connection.execute("UPDATE log_events SET leaf_hash = sha256('other') WHERE position = 4")
    sealer.let_go()
    fill(log, 5)
    with pytest.raises(Refused, match="lodestone verify"):
        another(sealer).seal()


def test_the_service_role_cannot_change_or_take_back_a_seal(sealer: Sealer, log: Log, database: Database) -> None:
    fill(log, 300)
    sealer.seal()
    for table in ("log_checkpoints", "log_leaves", "log_nodes", "log_about"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(Exception, match=r"permission denied|append-only"), database.begin() as connection:
                connection.execute(text(statement))
        with straight(database.owner_url) as owner, pytest.raises(Exception, match="append-only"):
            owner.execute(f"DELETE FROM {table}")


def test_events_after_a_request_are_sealed_by_position(sealer: Sealer, log: Log) -> None:
    (outcome,) = log.append(Append((draft(),)))
    assert sealer.seal() == outcome.position == 1


def test_a_sealer_that_comes_late_does_not_put_an_older_note_over_a_newer_one(tmp_path: Path) -> None:
    def note(size: int, epoch: int = 1) -> str:
        text = checkpoint_text(origin_of("a-log", epoch), size, bytes(32))
        return f"{text}\n— key signature\n"

    outside = Outside(tmp_path, "a-log")
    for written, kept in ((note(5), note(5)), (note(3), note(5)), (note(2, 2), note(2, 2)), (note(9), note(2, 2))):
        outside.write(written)
        assert outside.read() == kept
