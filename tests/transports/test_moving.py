"""Moving: a partition that stands still before its end is stuck, once it had the time and the polls to come."""

from services.transports.kafka.moving import Moving, Patience


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def moving():
    clock = Clock()
    return Moving(Patience(10.0, polls=3), clock), clock


def later(one, clock, seconds, polls):
    clock.now += seconds
    for _ in range(polls):
        one.polled()


def test_one_partition_that_stands_still_is_stuck_while_others_move():
    one, clock = moving()
    assert one.stuck({0: (5, 9), 1: (5, 9)}) is None
    later(one, clock, 11, 3)
    assert one.stuck({0: (6, 9), 1: (5, 9)}) == 1


def test_a_partition_at_its_end_is_not_stuck_and_has_all_its_time_once_more_is_there():
    one, clock = moving()
    for end in (5, 9):
        later(one, clock, 11, 3)
        assert one.stuck({0: (5, end)}) is None
    later(one, clock, 9, 3)
    assert one.stuck({0: (5, 9)}) is None
    later(one, clock, 2, 0)
    assert one.stuck({0: (5, 9)}) == 0
    assert one.stuck({0: (9, 9)}) is None


def test_slow_polls_are_waited_for_and_what_is_placed_anew_begins_from_there():
    one, clock = moving()
    assert one.stuck({0: (5, 9)}) is None
    later(one, clock, 100, 2)
    assert one.stuck({0: (5, 9)}) is None
    later(one, clock, 0, 1)
    one.forget()
    assert one.stuck({0: (5, 9)}) is None
