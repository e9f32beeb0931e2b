"""What holds a plant to its word finds an event that is there twice, one that is lost, and one nobody published."""

import random

import httpx
import pytest

from services.transports.kafka.connecting import Cluster
from tests.faults.load import Bench
from tests.faults.stack.checking import each_once, published_once
from tests.faults.stack.publishing import Publisher


def bench(*ids: str) -> Bench:
    """One that posted these, and was answered their positions from 1 on."""
    made = Bench("b", httpx.Client(), random.Random(1))
    made.offered, made.acknowledged = set(ids), {id: at for at, id in enumerate(ids, 1)}
    return made


def publisher(*ids: str) -> Publisher:
    """One that published these, and has the broker's word for each."""
    made = Publisher("k", Cluster("127.0.0.1:1"), "token", random.Random(1))
    made.offered, made.acknowledged = set(ids), set(ids)
    return made


EVENTS = [{"id": "a"}, {"id": "b"}, {"id": "c"}]


def record(position: int, sequence: int, partition: int = 0):
    return partition, sequence, position


def test_a_log_with_each_event_once_is_counted():
    counts = each_once(EVENTS, [bench("a", "b")], [])
    assert counts == {"offered": 2, "acknowledged": 2, "stored": 2, "doubled": 0, "lost": 0}


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([*EVENTS, {"id": "b"}], "'doubled': 1"),
        (EVENTS[:1], "'lost': 1"),
        ([EVENTS[1], EVENTS[0]], "answered"),
    ],
)
def test_an_event_that_is_there_twice_lost_or_elsewhere_is_found(events, words):
    with pytest.raises(AssertionError, match=words):
        each_once(events, [bench("a", "b")], [])


def test_an_event_that_was_acknowledged_by_kafka_only_is_missed_too():
    with pytest.raises(AssertionError, match="'lost': 1"):
        each_once(EVENTS, [], [publisher("a", "d")])


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([record(1, 1), record(3, 2)], "not published: 2"),
        ([record(1, 1), record(2, 2), record(2, 3), record(3, 4)], "more than once: 2"),
        ([record(1, 1), record(2, 2), record(3, 3), record(4, 4)], "not in the log: 4"),
        ([record(1, 1), record(3, 2), record(2, 3)], "out of order"),
        ([record(1, 1), record(2, 1), record(3, 2)], "numbers"),
    ],
)
def test_an_event_that_was_not_published_once_and_in_order_is_found(records, words):
    with pytest.raises(AssertionError, match=words):
        published_once(records, head=3)
    assert published_once([record(1, 1), record(2, 1, partition=1), record(3, 2)], head=3) == 3
