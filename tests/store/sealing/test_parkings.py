"""What projections set aside and took in later is an event each, told once by whoever looks."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from sqlalchemy import text

from services.store.projecting.projector import Projector
from services.store.sealing.ledger.parking import PARKED, RELEASED, Parkings
from services.worker import Worker
from tests.store.projecting.counting import COUNTING, built, fold
from tests.store.projecting.folding import append, projecting
from tests.waiting import PATIENCE_S


def _mended(event, rows):
    data = {name: value for name, value in event.data.items() if name != "broken"}
    fold(event.with_data(data), rows)


def mended(log, version=1):
    return Projector(log.database, log, (replace(COUNTING, fold=_mended, version=version),), "mended")


def told(log):
    return [event for event in log.read(0, 100) if event.type in (PARKED, RELEASED)]


def words(log):
    return [(event.type.split(".")[2], event.data["version"], event.data["position"]) for event in told(log)]


def broken(log, *numbers):
    append(log, *(built(n, "L1", n, broken=n in numbers) for n in range(1, 5)))
    made = projecting(log)
    made.catch_up()
    return made


def test_what_is_set_aside_is_told_once_with_its_identity_and_the_reason_and_changes_no_state(log):
    made = broken(log, 2, 3)
    digest = made.digest("counting")
    aside = log.read(1, 1)[0]
    assert Parkings(log).tell() == 2
    first = told(log)[0]
    assert {name: first.data[name] for name in ("projection", "version", "position", "event")} == {
        "projection": "counting",
        "version": 1,
        "position": 2,
        "event": {"source": aside.source, "id": aside.id},
    }
    assert first.data["reason"] == made.parked()[0].error
    known = Parkings(log)
    assert (known.tell(), known.tell()) == (0, 0)
    assert made.catch_up() == 2 and made.digest("counting") == digest


def test_what_is_folded_later_is_told_and_the_same_again_after_that_is_new(log):
    made, one = broken(log, 2), Parkings(log)
    one.tell()
    assert mended(log).retry_parked() == 1
    assert one.tell() == 1
    made.rebuild("counting")
    made.rebuild("counting")
    assert (one.tell(), Parkings(log).tell()) == (1, 0)
    mended(log).rebuild("counting")
    assert Parkings(log).tell() == 1
    assert words(log) == [("event_parked", 1, 2), ("event_released", 1, 2)] * 2
    assert len({event.id for event in told(log)}) == 4


def test_a_new_version_of_a_fold_that_refuses_the_same_says_so(log):
    broken(log, 2).let_go()
    Parkings(log).tell()
    newer = Projector(log.database, log, (replace(COUNTING, version=2),), "newer")
    newer.prepare()
    assert newer.catch_up() and Parkings(log).tell() == 1
    assert words(log) == [("event_parked", 1, 2), ("event_parked", 2, 2)]


def test_several_that_tell_at_once_say_each_once(log):
    broken(log, 1, 2, 3, 4)
    several, together = [Parkings(log) for _ in range(4)], Barrier(4)

    def tell(one):
        together.wait(PATIENCE_S)
        return one.tell()

    with ThreadPoolExecutor(4) as threads:
        assert 4 in list(threads.map(tell, several))
        assert mended(log).retry_parked() == 4
        assert 4 in list(threads.map(tell, several))
    assert sum(one.tell() for one in several) == 0
    expected = [(kind, 1, position) for kind in ("event_parked", "event_released") for position in range(1, 5)]
    assert sorted(words(log)) == expected


def test_a_worker_tells_what_it_or_one_that_was_killed_set_aside(log):
    made = broken(log, 2)
    made.let_go()
    append(log, built(9, "L1", 9, broken=True))
    assert Worker(projecting(log), None).turn()
    assert words(log) == [("event_parked", 1, 2), ("event_parked", 1, 5)]


def test_a_projection_that_is_made_anew_is_not_told_to_have_folded_what_it_has_not_reached(log):
    broken(log, 2).let_go()
    Parkings(log).tell()
    with log.database.begin() as connection:
        connection.execute(text("UPDATE projection_checkpoints SET version = 0"))  # as `recover` and a new owner do
    anew = projecting(log)
    assert anew.parked() == [] and Parkings(log).tell() == 0
    assert anew.catch_up() and Parkings(log).tell() == 0
    assert words(log) == [("event_parked", 1, 2)]
