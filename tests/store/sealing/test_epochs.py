"""Restored databases: a current dump goes on, an older one takes nothing in and signs nothing until it is recovered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events.errors import IdentityConflict, Refused, Unavailable
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.store.sealing import checkpoints
from services.store.sealing.checkpoints import Outside
from services.store.sealing.epochs import Guard, openings, unsealed
from services.store.sealing.ledger import ledger_of, log_id
from services.store.sealing.recovering import open_epoch
from services.store.sealing.sealer import Sealer
from services.verifier import parse_checkpoint, verify_consistency
from tests.store.facts import draft, straight
from tests.store.sealing.dumps import dump, fresh_cluster, restore
from tests.store.sealing.plain import fill, leaves, root
from tests.verifier import trees

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
RESTORED = "restored"


@pytest.fixture
def cluster() -> Iterator[EmbeddedPostgres]:
    with fresh_cluster() as server:
        yield server


class Restored:
    """A dump of the log in a fresh cluster, and the parts of a service on it, with the old data folder."""

    def __init__(self, source: EmbeddedPostgres, name: str, cluster: EmbeddedPostgres, data_dir: Path) -> None:
        self.source, self.name, self.cluster = source, name, cluster
        self.path = dump(source, name)
        self.data_dir = data_dir

    def open(self) -> Database:
        restore(self.cluster, RESTORED, self.path)
        addresses = self.cluster.addresses(RESTORED)
        self.database = Database(addresses.service, addresses.owner, pool_size=4)
        self.guard = Guard(self.database, self.data_dir)
        self.log = Log(self.database)
        self.sealer = Sealer(self.database, self.log, self.data_dir, "restored")
        return self.database


@pytest.fixture
def taken(postgres: EmbeddedPostgres, database: Database, cluster: EmbeddedPostgres, tmp_path: Path):
    """Takes a dump of the test's database now, to be restored later into the fresh cluster."""
    made: list[Restored] = []

    def take() -> Restored:
        name = database.url.rpartition("/")[2].partition("?")[0]
        made.append(Restored(postgres, name, cluster, tmp_path))
        return made[-1]

    yield take
    for one in made:
        if hasattr(one, "database"):
            one.database.dispose()


def outside(sealer: Sealer) -> Outside:
    with sealer.database.connect() as connection:
        return Outside(sealer.data_dir, log_id(connection))


def latest(database: Database) -> checkpoints.Signed:
    with database.connect() as connection:
        found = checkpoints.latest(connection)
    assert found is not None
    return found


def test_a_current_dump_in_a_fresh_cluster_goes_on_where_it_was(sealer: Sealer, log: Log, taken) -> None:
    fill(log, 300)
    sealer.finish()
    before = latest(sealer.database)
    here = taken()
    here.open()
    assert here.guard.look() is None
    here.guard()
    fill(here.log, 50)
    here.sealer.finish()
    after, hashes = latest(here.database), leaves(here.log)
    assert (after.epoch, after.size, after.root) == (1, here.log.head(), root(hashes))
    verify_consistency(before.size, before.root, after.size, after.root, trees.consistency(before.size, hashes))


def test_a_dump_without_the_last_checkpoint_of_a_log_that_stood_still_goes_on(sealer: Sealer, log: Log, taken) -> None:
    fill(log, 300)
    sealer.seal()
    sealer.let_go()  # else the dump holds the lease of a process that is no more, until it expires
    fill(log, 20)
    here = taken()
    sealer.seal()
    here.open()
    assert latest(here.database).size == 300
    assert here.guard.look() is None
    here.sealer.seal()
    assert latest(here.database).root == latest(sealer.database).root


def test_an_older_dump_takes_nothing_in_and_is_not_signed_until_it_is_recovered(
    sealer: Sealer, log: Log, taken
) -> None:
    fill(log, 300)
    sealer.finish()
    here, fork = taken(), log.head()
    fill(log, 40)
    sealer.finish()
    lost = latest(sealer.database)
    here.open()
    with pytest.raises(
        Unavailable, match=f"{lost.size} events was signed, and the log in this database ends at {fork}"
    ):
        here.guard()
    with pytest.raises(Unavailable, match="lodestone recover"):
        Log(here.database, guard=here.guard).append(Append((draft(),)))
    with pytest.raises(Unavailable, match="lodestone recover"):
        Log(here.database, guard=here.guard).append_stored([here.log.read_bytes(0, 1)[0][1]])
    with pytest.raises(Refused, match="lodestone recover"):
        here.sealer.seal()
    assert here.log.head() == len(here.log.read_bytes(0, 1000)) == fork
    found = here.guard.look()
    assert found is not None and (found.epoch, found.signed, found.head, found.shared) == (1, lost.size, fork, fork)
    assert open_epoch(here.database, found, "A disk was lost.", NOW) == fork + 1
    here.sealer.finish()
    signed = latest(here.database)
    assert here.guard.look() is None
    assert (signed.epoch, signed.size, signed.root) == (2, here.log.head(), root(leaves(here.log)))
    assert parse_checkpoint(signed.note.rpartition("\n\n")[0] + "\n").origin.endswith("/epoch/2")
    assert outside(here.sealer).read() == signed.note
    event = here.log.read(fork, 1)[0]
    assert (event.data["epoch"], event.data["fork_position"], event.data["last_note"]) == (2, fork, lost.note)
    with here.database.connect() as connection:
        assert ledger_of(connection).check(signed.note).size == signed.size


def test_the_second_time_the_epoch_is_the_third(sealer: Sealer, log: Log, taken) -> None:
    fill(log, 30)
    sealer.finish()
    here, fork = taken(), log.head()
    fill(log, 10)
    sealer.finish()
    here.open()
    found = here.guard.look()
    assert found is not None
    open_epoch(here.database, found, "First.", NOW)
    here.sealer.finish()
    here.database.dispose()
    here.open()  # the same old dump once more: it knows nothing of the second epoch
    again = here.guard.look()
    assert again is not None and (again.epoch, again.shared) == (2, fork)
    open_epoch(here.database, again, "Second.", NOW)
    here.sealer.finish()
    with here.database.connect() as connection:
        assert [(opening.epoch, opening.fork) for opening in openings(connection)] == [(3, fork)]
    assert latest(here.database).epoch == 3


def test_a_log_whose_tail_was_cut_is_found_and_its_tree_is_taken_back(sealer: Sealer, log: Log) -> None:
    for _ in range(3):
        fill(log, 300)
        sealer.seal()
    sealer.let_go()
    _cut(sealer.database, 640)
    guard = Guard(sealer.database, sealer.data_dir)
    found = guard.look()
    assert found is not None and (found.signed, found.head, found.shared) == (900, 640, 640)
    open_epoch(sealer.database, found, "Somebody cut it.", NOW)
    sealer.finish()
    assert guard.look() is None
    assert latest(sealer.database).root == root(leaves(log))
    with straight(sealer.database.owner_url) as connection, pytest.raises(Exception, match="append-only"):
        connection.execute("DELETE FROM log_nodes")


def _cut(database: Database, head: int) -> None:
    """Remove the tail of the log, as the database's owner can."""
    with straight(database.owner_url) as connection:
        for table in ("log_events", "log_identity", "log_streams"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            connection.execute(f"DELETE FROM {table} WHERE position > {head}")
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_another_history_of_the_same_length_shares_nothing_that_is_known(sealer: Sealer, log: Log, taken) -> None:
    fill(log, 30)
    here = taken()
    fill(log, 10)
    sealer.seal()
    here.open()
    fill(here.log, 25)
    with pytest.raises(Unavailable, match="The first 40 events of the log are not those that were signed"):
        here.guard()
    found = here.guard.look()
    assert found is not None and found.shared == 0
    open_epoch(here.database, found, "Two of us wrote.", NOW)
    here.sealer.finish()
    assert here.guard.look() is None


def test_a_machine_that_still_has_the_checkpoint_of_an_epoch_before_goes_on(
    sealer: Sealer, log: Log, taken, tmp_path: Path
) -> None:
    fill(log, 30)
    sealer.finish()
    here = taken()
    fill(log, 10)
    sealer.finish()
    note = outside(sealer).read()
    here.open()
    found = here.guard.look()
    assert found is not None and note is not None
    open_epoch(here.database, found, "A disk was lost.", NOW)
    elsewhere = tmp_path / "elsewhere"
    with here.database.connect() as connection:
        Outside(elsewhere, log_id(connection)).write(note)
    assert Guard(here.database, elsewhere).look() is None


def test_two_who_recover_at_once_open_one_epoch(sealer: Sealer, log: Log, taken) -> None:
    fill(log, 30)
    here = taken()
    fill(log, 10)
    sealer.seal()
    here.open()
    found = here.guard.look()
    assert found is not None
    open_epoch(here.database, found, "One.", NOW)
    with pytest.raises(IdentityConflict):
        open_epoch(here.database, found, "Another.", NOW)


def test_the_guard_looks_again_after_a_second_and_not_before(sealer: Sealer, log: Log) -> None:
    fill(log, 10)
    sealer.seal()
    now = [100.0]
    guard = Guard(sealer.database, sealer.data_dir, lambda: now[0])
    guard()
    _cut(sealer.database, 5)
    guard()
    now[0] += 1.0
    with pytest.raises(Unavailable):
        guard()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"a\nb\nc\n\n\xe2\x80\x94 x\n"])
def test_a_checkpoint_outside_that_cannot_be_read_stops_the_service_with_a_sentence(
    sealer: Sealer, log: Log, content: bytes
) -> None:
    fill(log, 10)
    sealer.seal()
    outside(sealer).path.write_bytes(content)
    with pytest.raises(Unavailable, match="cannot be read as the last signed checkpoint"):
        Guard(sealer.database, sealer.data_dir)()


def test_what_was_lost_before_it_was_sealed_is_left_behind_by_the_word_of_a_person(log, database, tmp_path):
    fill(log, 40)
    sealer = Sealer(database, log, tmp_path, "one")
    sealer.finish()
    sealed = log.head()
    fill(log, 3)
    guard = Guard(database, tmp_path)
    assert guard.look() is None
    with database.connect() as connection:
        with pytest.raises(Refused, match="ends at position"):
            unsealed(connection, log.head() + 1)
        found = unsealed(connection, sealed + 1)
    assert "by your word" in found.sentence
    open_epoch(database, found, "The last second was lost.", NOW)
    with database.connect() as connection:
        assert [(one.epoch, one.fork) for one in openings(connection)] == [(2, sealed + 1)]
    assert guard.look() is None
    sealer.finish()
    with database.connect() as connection:
        ledger = ledger_of(connection)
        newest = checkpoints.latest(connection)
    assert newest is not None and newest.epoch == 2
    assert ledger.check(newest.note).size == log.head()
