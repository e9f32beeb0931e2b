"""Who folds when processes come and go: a command gives the lease back, and waits for one that was killed."""

import threading

import pytest

from projections.folds.genealogy import GENEALOGY
from services.store import leases
from services.store.database import Database
from services.store.leases import Fenced
from services.store.log import Append, Log
from services.store.projecting.projector import LEASE, Projector
from tests.store.facts import draft, straight
from tests.waiting import PATIENCE_S


def projecting(log: Log, owner: str) -> Projector:
    """A projector whose leases and checkpoints matter here, not its rows."""
    made = Projector(log.database, log, (GENEALOGY,), owner)
    made.prepare()
    return made


def expire(database: Database) -> None:
    with straight(database.url) as connection:
        connection.execute("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")


def unreadable(log: Log, count: int) -> None:
    """Events that the projection parks: folding them still moves its checkpoint."""
    log.append(Append(tuple(draft() for _ in range(count))))


def test_another_owner_folds_nothing_while_the_lease_lives(log: Log) -> None:
    unreadable(log, 2)
    first, second = projecting(log, "first"), projecting(log, "second")
    assert first.catch_up(1) == 1
    assert second.catch_up() == 0
    assert second.lease is None
    assert second.position() == 1


def test_a_lease_that_was_let_go_is_taken_at_once(log: Log) -> None:
    unreadable(log, 2)
    first, second = projecting(log, "first"), projecting(log, "second")
    first.catch_up(1)
    first.let_go()
    first.let_go()
    assert second.catch_up() == 1
    assert second.position() == 2


def test_an_expired_lease_is_taken_over_and_the_old_owner_is_fenced(log: Log, database: Database) -> None:
    old = leases.take(database, LEASE, "old")
    assert old is not None
    expire(database)
    new = leases.take(database, LEASE, "new")
    assert new is not None
    assert new.epoch == old.epoch + 1
    with database.begin() as connection:
        leases.check(connection, new)
        with pytest.raises(Fenced):
            leases.check(connection, old)
    leases.release(database, old)
    assert leases.take(database, LEASE, "third") is None


def test_an_owner_that_comes_back_after_another_is_fenced_by_its_old_epoch(database: Database) -> None:
    old = leases.take(database, LEASE, "old")
    assert old is not None
    expire(database)
    assert leases.take(database, LEASE, "new") is not None
    expire(database)
    again = leases.take(database, LEASE, "old")
    assert again is not None
    with database.begin() as connection:
        leases.check(connection, again)
        with pytest.raises(Fenced):
            leases.check(connection, old)


def test_only_one_of_many_takes_a_free_lease(database: Database) -> None:
    taken: list[leases.Lease | None] = []
    threads = [
        threading.Thread(target=lambda owner=owner: taken.append(leases.take(database, "one", owner)))
        for owner in ("a", "b", "c", "d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(taken) == 4
    assert sum(lease is not None for lease in taken) == 1


def test_a_command_waits_until_the_lease_of_a_killed_process_expires(log: Log, database: Database) -> None:
    unreadable(log, 3)
    projector = projecting(log, "command")
    assert leases.take(database, LEASE, "killed", seconds=0.7) is not None
    assert projector.reach_head(seconds=PATIENCE_S)
    assert projector.position() == 3


def test_a_command_sees_that_a_running_worker_gets_there(log: Log) -> None:
    unreadable(log, 3)
    worker, command = projecting(log, "worker"), projecting(log, "command")
    worker.catch_up(1)
    working = threading.Timer(0.4, worker.catch_up)
    working.start()
    assert command.reach_head(seconds=PATIENCE_S)
    assert command.lease is None
    working.join()


def test_a_command_does_not_wait_for_ever(log: Log, database: Database) -> None:
    unreadable(log, 1)
    projector = projecting(log, "command")
    assert leases.take(database, LEASE, "busy", seconds=60) is not None
    assert not projector.reach_head(seconds=0.3)
    assert projector.position() == 0
