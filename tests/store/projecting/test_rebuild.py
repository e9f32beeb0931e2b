"""A rebuild: fresh tables beside the live ones, swapped in at once, one at a time."""

import threading

import pytest
from sqlalchemy import text

from events.errors import NotFound, Refused
from services.store import leases
from tests.folds.dictionaries import state_digest
from tests.store.projecting.counting import COUNTING, LotSum, built
from tests.store.projecting.folding import SIZE, append, in_dictionaries, projecting, rows_of


def test_a_rebuild_repairs_rows_that_were_changed_by_hand(log):
    append(log, *(built(n, f"L{n % 2}", n) for n in range(50)))
    made = projecting(log)
    made.catch_up()
    digest = made.digest("counting")
    with log.database.begin() as connection:
        connection.execute(text("UPDATE projections.counting_lot_sum_v1_g1 SET total = total + 1"))
    assert made.digest("counting") != digest
    told = []
    assert made.rebuild("counting", lambda at, wanted: told.append((at, wanted))) == 50
    assert told[-1] == (50, 50)
    assert made.digest("counting") == digest


def test_a_rebuild_goes_on_while_the_log_grows_and_readers_never_see_it_half_done(log):
    append(log, *(built(n, "L1", 1) for n in range(2 * SIZE)))
    made = projecting(log)
    made.catch_up()
    totals, ended = set(), threading.Event()

    def read():
        while True:
            last = ended.is_set()
            totals.add(rows_of(made, LotSum)["L1"]["motors"])
            if last:
                return

    def grow(at, wanted):
        if at == SIZE:
            append(log, built(9999, "L2", 1))
            made.catch_up()

    reader = threading.Thread(target=read)
    reader.start()
    made.rebuild("counting", grow)
    ended.set()
    reader.join()
    assert totals == {2 * SIZE}
    assert made.digest("counting") == state_digest(in_dictionaries(log))
    assert made.positions() == {"counting": 2 * SIZE + 1}


def test_a_rebuild_that_was_killed_leaves_nothing_after_the_next_one(log):
    append(log, *(built(n, "L1", 1) for n in range(SIZE + 1)))
    made = projecting(log)
    made.catch_up()

    class Killed(RuntimeError):
        """The process ended here."""

    def kill(at, wanted):
        raise Killed

    with pytest.raises(Killed):
        made.rebuild("counting", kill)
    assert rows_of(made, LotSum)["L1"]["motors"] == SIZE + 1
    made.rebuild("counting")
    with log.database.connect() as connection:
        query = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'projections'")
        assert connection.execute(query).scalar() == len(COUNTING.row_types)
        assert connection.execute(text("SELECT count(*) FROM projection_checkpoints")).scalar() == 1


def test_one_rebuild_at_a_time_and_only_of_what_there_is(log):
    made = projecting(log)
    leases.take(log.database, "rebuild:counting", "somebody else")
    with pytest.raises(Refused, match="Another process"):
        made.rebuild("counting")
    with pytest.raises(NotFound, match="there are counting"):
        made.rebuild("genealogie")
