"""One transaction: all of a page or nothing of it, and nothing from a relay that was overtaken in the middle."""

from collections.abc import Iterator, Mapping

import pytest

from events.errors import Refused, Unavailable
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.publishing import Publisher
from services.transports.kafka.relay.records import Record
from services.transports.kafka.relay.starting import fixed_topics
from services.transports.kafka.topics import make_or_check
from tests.transports.relay.plain import read

CLOSING = Mapping[tuple[str, int], int]


@pytest.fixture
def topic(kafka: Cluster) -> Iterator[str]:
    make_or_check(kafka, fixed_topics(kafka))
    yield kafka.name("log.v1")


def record(topic: str, value: str) -> Record:
    return Record(topic, b"k", value.encode(), [])


def beat() -> None:
    """Nobody else has a lease here."""


def values(kafka: Cluster, topic: str, isolation: str = "read_committed") -> list[str]:
    return [one.value.decode() for one in read(kafka.servers, topic, isolation)]


def test_a_relay_that_was_overtaken_in_the_middle_cannot_commit(kafka, topic):
    older, newer = Publisher(kafka, 1_000_000), Publisher(kafka, 1_000_000)
    older.fence()

    def paused(last: CLOSING) -> Record:
        newer.fence()
        newer.publish([record(topic, "newer")], lambda _: record(topic, "newer's progress"), beat)
        return record(topic, "older's progress")

    with pytest.raises(Unavailable):
        older.publish([record(topic, "older")], paused, beat)
    older.close()
    newer.publish([record(topic, "again")], lambda _: record(topic, "and again"), beat)
    newer.close()
    assert values(kafka, topic) == ["newer", "newer's progress", "again", "and again"]


def test_nothing_of_a_page_that_was_given_up_is_read(kafka, topic):
    publisher = Publisher(kafka, 1_000_000)
    publisher.fence()

    def refused(last: CLOSING) -> Record:
        raise Refused("No.")

    with pytest.raises(Refused):
        publisher.publish([record(topic, "given up")], refused, beat)
    publisher.close()
    assert values(kafka, topic) == []
    assert values(kafka, topic, "read_uncommitted") == ["given up"]


def test_the_closing_record_knows_the_offsets_of_what_it_closes(kafka, topic):
    publisher = Publisher(kafka, 1_000_000)
    publisher.fence()
    seen: list[CLOSING] = []

    def closing(last: CLOSING) -> Record:
        seen.append(last)
        return record(topic, "end")

    for _ in range(2):
        publisher.publish([record(topic, "a"), record(topic, "b")], closing, beat)
    publisher.close()
    # Each commit leaves a marker of its own behind the records.
    assert [last[topic, 0] for last in seen] == [1, 5]
    assert [one.offset for one in read(kafka.servers, topic)] == [0, 1, 2, 4, 5, 6]
