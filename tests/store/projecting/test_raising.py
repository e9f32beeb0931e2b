"""A new version of a fold: folded beside what readers see, and swapped in when it is there; they never see less."""

from dataclasses import replace
from typing import ClassVar

import pytest
from sqlalchemy import text

from events.errors import Refused, Unavailable
from projections.folds.fold import Key, Row, no_more_keys
from projections.folds.lifetimes import LIFETIMES
from services.store import leases
from services.store.projecting.projector import OUTDATED, Projector
from services.store.sealing.ledger.digests import record_digests
from services.worker import Worker
from tests.folds.dictionaries import fold_all, state_digest
from tests.store.projecting.counting import COUNTING, LotSum, Motor, built, fold
from tests.store.projecting.folding import SIZE, append, projecting, rows_of


def _twice(event, rows):
    fold(event.with_data({**event.data, "ticks": 2 * event.data["ticks"]}), rows)


NEWER = replace(COUNTING, version=2, fold=_twice)


def filled(log, pages=2):
    """The release before, with so many pages folded; every motor of lot L1 counts one tick."""
    append(log, *(built(n, "L1", 1) for n in range(pages * SIZE)))
    older = projecting(log)
    older.catch_up()
    return older


def total(projector):
    return rows_of(projector, LotSum)["L1"]["total"]


def tables(log):
    with log.database.connect() as connection:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'projections' ORDER BY 1")
        return connection.execute(query).scalars().all()


def test_readers_see_the_older_rows_until_the_newer_are_there_and_never_fewer(log):
    filled(log).let_go()
    append(log, *(built(n, "L1", 1) for n in range(9000, 9010)))
    newer = projecting(log, NEWER)
    seen = []
    while not newer.whole or newer.position() < log.head():
        seen.append((newer.position(), total(newer), [one.position for one in newer.raising.shown()]))
        assert newer.catch_up()
    assert seen == [(2 * SIZE, 2 * SIZE, [0]), (2 * SIZE, 2 * SIZE, [SIZE]), (2 * SIZE, 4 * SIZE, [])]
    assert (newer.position(), total(newer)) == (log.head(), 2 * log.head())
    assert newer.digest("counting") == state_digest(fold_all(NEWER, log.read(0, 10_000)))
    assert tables(log) == ["counting_lot_sum_v2_g2", "counting_motor_v2_g2"]


def test_a_release_that_still_runs_folds_on_and_keeps_the_swap_back_until_it_ends(log):
    older = filled(log)
    newer = projecting(log, NEWER)
    assert [newer.catch_up() for _ in range(3)] == [SIZE, SIZE, 0]
    append(log, built(9001, "L1", 1))
    assert older.catch_up() == 1 and newer.catch_up() == 1
    assert (total(older), older.position()) == (2 * SIZE + 1, log.head())
    older.let_go()
    newer.catch_up()
    assert total(newer) == 2 * (2 * SIZE + 1)
    append(log, built(9002, "L1", 1))
    assert not newer.let_go() and older.catch_up() == 0
    (shown,) = older.raising.shown()
    assert "folded by a newer release (version 2, here 1): its rows are still read here" in shown.sentence
    assert (older.position(), older.reading()) == (log.head() - 1, log.head() - 1)
    assert newer.catch_up() == 1 and total(newer) == 2 * log.head()


def test_who_is_killed_in_the_middle_is_followed_where_it_was_with_what_it_had_set_aside(log):
    ordered = replace(NEWER, order_free=False)
    append(log, built(1, "L1", 1, "bad", broken=True), *(built(n, "L1", 1) for n in range(2, SIZE + 1)))
    append(log, built(9001, "L1", 1, "bad"), built(9002, "L1", 1, "good"))
    mended = projecting(log, replace(COUNTING, fold=lambda event, rows: None))
    mended.catch_up()
    mended.let_go()
    killed = projecting(log, ordered)
    assert killed.catch_up() == SIZE and killed.parked() == []
    leases.drop(log.database, killed.owner)
    following = projecting(log, ordered)
    assert following.catch_up() == 2
    assert [item.position for item in following.parked()] == [1, SIZE + 1]
    assert set(rows_of(following, Motor)).isdisjoint({"bad"}) and "good" in rows_of(following, Motor)
    assert following.retry_parked() == 0 and following.digest("counting").startswith("incomplete:")


class Wider(Row, frozen=True):
    """A row with a column more than the version before had."""

    lot: str
    motors: int
    makers: str | None

    __key__: ClassVar[tuple[str, ...]] = ("lot",)


Wider.__name__ = LotSum.__name__


def _wider(event, rows):
    row = rows.get(Wider, event.data["lot"]) or Wider(event.data["lot"], 0, None)
    rows.put(Wider(row.lot, row.motors + 1, row.makers))


WIDER = replace(
    NEWER,
    row_types=(Wider,),
    fold=_wider,
    keys=lambda event: [Key(Wider, (event.data["lot"],))],
    more_keys=no_more_keys,
)


def test_rows_that_this_release_cannot_read_are_refused_and_those_folded_ahead_are_there_at_the_start(log):
    older = filled(log)
    newer = projecting(log, WIDER)
    with pytest.raises(Unavailable, match=r"being folded for this release .* nobody here reads those of version 1"):
        newer.reading()
    with pytest.raises(Unavailable, match="not those of this release yet"):
        rows_of(newer, Wider)
    assert newer.raising.ahead(WIDER, log.head()) == log.head()
    assert total(older) == 2 * SIZE
    older.let_go()
    started = projecting(log, WIDER)
    started.catch_up()
    assert started.reading() == log.head()
    assert rows_of(started, Wider)["L1"]["motors"] == 2 * SIZE


def test_what_is_in_a_column_may_have_changed_too(log):
    filled(log)
    changed = projecting(log, replace(NEWER, readable_since=2))
    with pytest.raises(Unavailable, match="nobody here reads"):
        changed.reading()


def test_a_release_goes_back_by_a_rebuild_and_by_that_alone(log):
    older = filled(log, pages=1)
    older.let_go()
    newer = projecting(log, NEWER)
    newer.catch_up()
    newer.let_go()
    again = projecting(log)
    again.catch_up()
    assert (again.digest("counting"), total(again)) == (OUTDATED, 2 * SIZE)
    with pytest.raises(Refused, match="counting"):
        record_digests(log, log.head(), {"counting": 1}, again.digests()[1])
    again.rebuild("counting")
    assert total(again) == SIZE and not again.raising.shown()


def test_nothing_is_concluded_from_rows_of_another_version(log):
    class Concluding:
        turns = 0

        def decide_once(self):
            self.turns += 1
            return 0

    filled(log).let_go()
    decider = Concluding()
    worker = Worker(projecting(log, NEWER), decider)
    assert (worker.turn(), worker.turn(), decider.turns) == (True, True, 0)
    worker.turn()
    assert decider.turns == 1


def test_shares_go_on_where_they_were_once_the_newer_version_is_there(log):
    older = projecting(log, LIFETIMES)
    older.sharing.divide(3)
    raised = replace(LIFETIMES, version=LIFETIMES.version + 1)
    append(log, *(built(n, "L1", 1) for n in range(5)))
    newer = projecting(log, raised)
    assert newer.sharing.divide(3) == {} and newer.sharing.places([0]) == {0: {}}
    newer.catch_up()
    assert newer.sharing.divide(3) == {"lifetimes": 3}
    assert newer.sharing.places([1])[1]["lifetimes"].position == log.head()


def test_several_that_raise_at_once_do_it_once(log):
    filled(log).let_go()
    one, two = (Projector(log.database, log, (NEWER,), name, page=SIZE) for name in ("one", "two"))
    moved = [who.catch_up() for who in (one, two, two, one)]
    assert sum(moved) == 2 * SIZE and one.catch_up() == 0 and one.whole
    assert total(two) == 4 * SIZE
