"""Reading a partition: records follow each other, older epochs end at their fork, and newer releases are not passed."""

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from events.errors import UnknownType
from services.store.projecting.shares import Share
from services.transports.kafka.relay.progress import Progress
from services.transports.kafka.relay.progress import Share as Published
from services.transports.kafka.sharding.following import reached
from services.transports.kafka.sharding.places import Place, TopicGap, read
from tests.folds.plants import built
from tests.folds.stored import stored

FORK = 3
"""The last position that epoch 1 shares with epoch 2."""


def record(sequence, position, epoch=1, offset=None, value=None):
    headers = [(f"lodestone-{name}", b"%d" % number) for name, number in
               (("position", position), ("sequence", sequence), ("epoch", epoch))]  # fmt: skip
    value = value or stored(built(f"M{position}", kirin=4))
    at = 2 * sequence if offset is None else offset
    return ConsumerRecord("log", 0, -1, at, 0, 0, b"k", value, headers, None, 1, len(value), -1)


def place(position=0, offset=None, sequence=None):
    return Place.of(0, {"correlation": Share(0, position, offset, sequence)})


def lasting(position, epoch):
    return min(position, FORK) if epoch < 2 else position


def taken(at, *records, standing=lambda position, epoch: position):
    return read(at, records, standing, lambda event_type: "9.9")


def test_what_is_folded_already_is_passed_over():
    page = taken(place(2), record(1, 1), record(2, 2), record(3, 5)).page
    assert ([event.position for event in page.events], page.position) == ([5], 5)
    assert (page.next_offset, page.sequence) == (7, 3)


@pytest.mark.parametrize(
    ("at", "records"),
    [
        (place(4, 8, 4), [record(6, 9)]),
        (place(4, 8, 4), [record(4, 4)]),
        (place(4, 8, 4), [record(5, 5), record(7, 9)]),
        (place(4), [record(3, 9)]),
    ],
    ids=["a gap", "a repeat", "a gap within", "a lost beginning"],
)
def test_records_that_do_not_follow_each_other_are_an_alarm(at, records):
    with pytest.raises(TopicGap, match="records are missing or repeated"):
        taken(at, *records)


def test_a_topic_that_lost_only_what_is_folded_is_read_on():
    assert [event.position for event in taken(place(4), record(3, 4), record(4, 9)).page.events] == [9]


def test_records_of_an_older_epoch_end_where_the_newer_one_forked_off():
    page = taken(place(), record(1, 2), record(2, 7), record(3, 4, epoch=2), standing=lasting).page
    assert ([event.position for event in page.events], page.position) == ([2, 4], 4)
    assert taken(place(), record(1, 2), record(2, 7), standing=lasting).page.position == FORK


def test_an_event_of_a_newer_release_ends_the_page_before_it():
    unknown = stored(built("N", kirin=1)).replace(b"motor_built.v1", b"motor_built.v9")
    made = taken(place(), record(1, 2), record(2, 7, value=unknown), record(3, 8))
    assert ([event.position for event in made.page.events], made.page.position) == ([2], 6)
    assert (made.page.next_offset, made.page.sequence) == (4, 1)
    assert isinstance(made.stopped, UnknownType) and "Lodestone 9.9" in made.stopped.detail


def test_a_share_is_as_far_as_the_newest_progress_whose_records_it_has_read():
    told = [Progress("log", epoch, position, (Published(1, end), Published(0, 0)))
            for epoch, position, end in ((1, 2, 1), (1, 9, 4), (2, 5, 6))]  # fmt: skip
    assert [reached(told, 0, offset, lasting) for offset in (0, 1, 3, 4, 5, 6)] == [0, 2, 2, FORK, FORK, 5]
    assert reached(told, 1, 0, lasting) == 5
