"""Poison: an event that cannot be folded is set aside with its reason, and the others go on."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from services.store.projecting.projector import Projector
from tests.folds.dictionaries import fold_all, state_digest
from tests.store.projecting.counting import COUNTING, LotSum, Motor, built, fold
from tests.store.projecting.folding import SIZE, append, projecting, rows_of

POISONS: dict[str, dict[str, Any]] = {
    "the fold refuses it": {"ticks": 5, "broken": True},
    "a field is missing where keys are named": {"motor": None},
    "a value of another type": {"ticks": "five"},
    "a number that no column holds": {"ticks": 2**40},
    "a text that no column holds": {"lot": "L\0"},
    "a null where none may be": {"ratio": None, "lot": None},
    "not a number": {"ratio": float("nan")},
}


def poison(number, **data):
    made = built(number, "L1", 5)
    event = dict(made.event)
    event["data"] = {**event["data"], **data}
    return structs.replace(made, event=event)


@pytest.mark.parametrize("kind", POISONS)
def test_a_poison_event_is_parked_and_the_others_go_on(log, kind):
    data = {name: value for name, value in POISONS[kind].items() if name != "motor"}
    bad = poison(50, **data)
    if "motor" in POISONS[kind]:
        del bad.event["data"]["motor"]
    if kind == "not a number":
        bad.event["data"]["ratio"] = 1e308
        overflowing = replace(COUNTING, fold=_doubling)
    good = [built(n, f"L{n % 3}", n) for n in range(40)]
    append(log, *good[:20], bad, *good[20:])
    made = projecting(log, overflowing if kind == "not a number" else COUNTING)
    assert made.catch_up() == 41
    (parked,) = made.parked()
    assert (parked.projection, parked.position) == ("counting", 21)
    assert parked.error
    others = [event for event in log.read(0, 100) if event.position != 21]
    assert made.digest("counting") == "incomplete:" + state_digest(fold_all(COUNTING, others))
    assert "m50" not in rows_of(made, Motor)


def _doubling(event, rows):
    fold(event, rows)
    motor = rows.get(Motor, event.data["motor"])
    if motor is not None and motor.ratio is not None:
        rows.put(replace(motor, ratio=motor.ratio * 1e10))


def test_several_poison_events_in_one_page_are_each_found(log):
    number = 2 * SIZE
    append(log, *(poison(n, ticks=2**40) if n % 333 == 5 else built(n, f"L{n % 7}", n) for n in range(number)))
    made = projecting(log)
    made.catch_up()
    assert [item.position for item in made.parked()] == [6, 339, 672]
    others = [event for event in log.read(0, number) if event.position % 333 != 6]
    assert made.digest("counting").removeprefix("incomplete:") == state_digest(fold_all(COUNTING, others))


def test_the_rows_that_a_parked_event_touched_stay_as_they_were(log):
    append(log, built(1, "L1", 10, "m1"), built(2, "L2", 20, "m1", broken=True))
    made = projecting(log)
    made.catch_up()
    assert rows_of(made, Motor)["m1"]["ticks"] == 10
    assert {lot: row["motors"] for lot, row in rows_of(made, LotSum).items()} == {"L1": 1}


def _mended(event, rows):
    data = {name: value for name, value in event.data.items() if name != "broken"}
    fold(event.with_data(data), rows)


def test_a_parked_event_goes_in_once_when_it_is_tried_again_with_a_mended_fold(log):
    append(log, built(1, "L1", 1), built(2, "L1", 2, broken=True), built(3, "L1", 3))
    first = projecting(log)
    first.catch_up()
    assert first.retry_parked() == 0
    assert len(first.parked()) == 1
    mended = Projector(log.database, log, (replace(COUNTING, fold=_mended),), "mended")
    assert mended.retry_parked() == 1
    assert mended.retry_parked() == 0
    assert mended.parked() == []
    assert rows_of(mended, LotSum)["L1"]["total"] == 6
    assert mended.digest("counting") == state_digest(fold_all(replace(COUNTING, fold=_mended), log.read(0, 10)))


def test_a_rebuild_parks_anew_and_keeps_what_is_parked_until_it_is_done(log):
    append(log, built(1, "L1", 1), built(2, "L1", 2, broken=True), *(built(n, "L1", 1) for n in range(10, 1100)))
    made = projecting(log)
    made.catch_up()
    seen = []
    made.rebuild("counting", lambda at, wanted: seen.append([item.position for item in made.parked()]))
    assert seen == [[2], [2], [2]]
    mended = Projector(log.database, log, (replace(COUNTING, fold=_mended),), "mended")
    mended.rebuild("counting")
    assert mended.parked() == []


def test_a_database_error_is_never_poison(log):
    append(log, built(1, "L1", 1))
    made = projecting(log)
    with log.database.begin() as connection:
        connection.execute(text("ALTER TABLE projections.counting_lot_sum_v1_g1 RENAME TO gone"))
    with pytest.raises(Exception, match="tables are still to be made"):
        made.catch_up()
    assert made.parked() == []
    with log.database.begin() as connection:
        connection.execute(text("ALTER TABLE projections.gone RENAME TO counting_lot_sum_v1_g1"))
    assert made.catch_up() == 1


def ordered(broken):
    """The counting projection where order counts, and which breaks on the motor of this name."""

    def breaking(event, rows):
        if event.data["motor"] == broken:
            raise ValueError(f"{broken} is broken")
        fold(event, rows)

    return replace(COUNTING, fold=breaking, order_free=False)


def test_where_order_counts_what_follows_in_a_stream_waits_with_the_event_that_was_set_aside(log):
    first = [built(1, "L1", 1, "bad"), built(2, "L2", 2, "good"), built(3, "L1", 3, "bad"), built(4, "L2", 4, "good")]
    append(log, *first)
    made = projecting(log, ordered("bad"))
    made.catch_up()
    append(log, built(5, "L1", 5, "bad"), built(6, "L2", 6, "good"))
    made.catch_up()
    assert [item.position for item in made.parked()] == [1, 3, 5]
    assert "bad is broken" in made.parked()[0].error
    assert all("waits for position 1" in item.error for item in made.parked()[1:])
    assert rows_of(made, Motor)["good"]["ticks"] == 6
    assert made.retry_parked() == 0
    mended = projecting(log, ordered(None))
    assert mended.retry_parked() == 3
    assert mended.digest("counting") == state_digest(fold_all(COUNTING, log.read(0, 10)))


def test_where_order_does_not_count_nothing_waits(log):
    append(log, built(1, "L1", 1, "m1", broken=True), built(2, "L1", 2, "m1"))
    made = projecting(log)
    made.catch_up()
    assert [item.position for item in made.parked()] == [1]
    assert rows_of(made, Motor)["m1"]["ticks"] == 2


def test_an_event_that_is_retried_while_a_page_is_folded_counts_with_those_of_the_page(log):
    append(log, built(1, "L1", 1, "good"), built(2, "L1", 2, "bad"))
    first = projecting(log, ordered("bad"))
    first.catch_up()
    first.let_go()
    append(log, built(3, "L1", 3, "good"))
    made, other, retried = projecting(log, ordered(None)), projecting(log, ordered(None)), list[int]()
    hold = made._hold

    def late(connection, targets):
        """The page is folded and about to be written: another process retries what was set aside."""
        if not retried:
            retried.append(other.retry_parked())
        hold(connection, targets)

    made._hold = late
    assert made.catch_up() == 0
    assert made.catch_up() == 1
    assert retried == [1]
    assert made.digest("counting") == state_digest(fold_all(COUNTING, log.read(0, 10)))
