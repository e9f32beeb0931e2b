"""When the log is sealed and anchored: soon, not too often, and never for the seals' own sake."""

from services.store.log import Log
from services.store.sealing import checkpoints
from services.store.sealing.pace import ANCHOR_S, SEAL_S, STILL_S, Pace
from services.store.sealing.sealer import Sealer
from tests.store.facts import count
from tests.store.sealing.plain import fill


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sealed(sealer: Sealer) -> int:
    with sealer.database.connect() as connection:
        return checkpoints.sealed_size(connection)


def wait(pace: Pace, clock: Clock, seconds: float) -> None:
    """Turns, a fifth of a second apart."""
    for _ in range(round(seconds / 0.2)):
        clock.now += 0.2
        pace.turn()


def test_an_event_is_sealed_at_once_when_little_comes(sealer: Sealer, log: Log) -> None:
    pace = Pace(sealer, Clock())
    fill(log, 1)
    pace.turn()
    assert sealed(sealer) == 1


def test_under_load_it_is_sealed_twice_a_second(sealer: Sealer, log: Log) -> None:
    clock = Clock()
    pace = Pace(sealer, clock)
    for _ in range(50):
        fill(log, 1)
        clock.now += SEAL_S / 5
        pace.turn()
    assert count(sealer.database, "log_checkpoints") == 10


def test_a_log_that_stands_still_is_anchored_and_then_left_alone(sealer: Sealer, log: Log) -> None:
    clock = Clock()
    pace = Pace(sealer, clock)
    fill(log, 3)
    wait(pace, clock, STILL_S - 0.2)
    assert log.head() == 3
    wait(pace, clock, 1.0)
    assert log.head() == 5  # the key and the checkpoint
    signed = sealed(sealer)
    wait(pace, clock, 60.0)
    assert (log.head(), signed, sealed(sealer)) == (5, 5, 5)


def test_a_log_that_never_stands_still_is_anchored_now_and_then(sealer: Sealer, log: Log) -> None:
    clock = Clock()
    pace = Pace(sealer, clock)
    for _ in range(round(2.5 * ANCHOR_S / SEAL_S)):
        fill(log, 1)
        clock.now += SEAL_S
        pace.turn()
    kinds = [event.type.split(".")[2] for event in log.read(0, 1000)]
    assert kinds.count("checkpoint_signed") == 2


def test_starting_on_a_log_that_is_anchored_appends_nothing(sealer: Sealer, log: Log) -> None:
    fill(log, 3)
    sealer.finish()
    head, clock = log.head(), Clock()
    wait(Pace(Sealer(sealer.database, log, sealer.data_dir, "the next"), clock), clock, 30.0)
    assert log.head() == head


def test_another_process_takes_over_although_nothing_new_came(sealer: Sealer, log: Log) -> None:
    other, clock = Sealer(sealer.database, log, sealer.data_dir, "other"), Clock()
    pace = Pace(other, clock)
    fill(log, 3)
    assert sealer.hold()
    wait(pace, clock, 3.0)
    assert sealed(sealer) == 0
    sealer.let_go()
    wait(pace, clock, 2.0)
    assert sealed(sealer) >= 3
