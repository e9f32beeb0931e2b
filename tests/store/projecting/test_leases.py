"""Leases: one process folds, the others wait, and one that was paused is fenced."""

import pytest
from sqlalchemy import text

from services.store import leases
from services.store.projecting import projector
from services.store.projecting.pages import Pages
from tests.store.projecting.counting import LotSum, built
from tests.store.projecting.folding import append, projecting, rows_of


def test_the_process_that_holds_the_lease_folds_and_the_other_waits(log):
    append(log, built(1, "L1", 1))
    first, second = projecting(log), projecting(log)
    assert first.catch_up() == 1
    append(log, built(2, "L1", 2))
    assert second.catch_up() == 0
    assert second.lease is None
    assert first.catch_up() == 1
    leases.release(log.database, first.lease)
    append(log, built(3, "L1", 3))
    assert second.catch_up() == 1
    assert rows_of(second, LotSum)["L1"]["motors"] == 3


def test_a_paused_owner_whose_lease_was_taken_writes_nothing(log, postgres):
    append(log, built(1, "L1", 1))
    paused, other = projecting(log), projecting(log)
    lease = leases.take(log.database, projector.LEASE, paused.owner)
    with log.database.begin() as connection:
        connection.execute(text("UPDATE leases SET expires_at = now() - interval '1 second'"))
    assert other.catch_up(until=0) == 0
    assert lease is not None
    assert other.lease is not None
    assert other.lease.epoch == lease.epoch + 1
    paused.lease = lease
    with pytest.raises(leases.Fenced):
        Pages(log.database, log, paused.live(), paused._hold, paused._done, paused._aside).run(1, print)
    assert paused.positions() == {"counting": 0}
    assert rows_of(paused, LotSum) == {}
    assert other.catch_up() == 1


def test_a_lease_taken_in_the_middle_ends_the_catch_up_without_an_error(log):
    append(log, *(built(n, "L1", n) for n in range(3)))

    def steal(at, wanted):
        with log.database.begin() as connection:
            connection.execute(text("UPDATE leases SET owner = 'thief', epoch = epoch + 1"))

    made = projecting(log)
    assert made.catch_up(until=2, progress=steal) == 2
    assert made.lease is None
    assert made.positions() == {"counting": 2}
