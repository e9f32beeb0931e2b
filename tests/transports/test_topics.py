"""Topics: made with their settings where they are missing, else checked and named with the command that mends them."""

import threading
import time

import pytest

from events.errors import Refused, Unavailable
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.starting import fixed_topics
from services.transports.kafka.topics import make_or_check, topic_part
from tests.waiting import PATIENCE_S


def test_missing_topics_are_made_with_their_settings_and_found_so_the_second_time(kafka):
    wanted = [topics.whole_log(kafka), topics.spec_current(kafka), topics.bench_events(kafka)]
    first = make_or_check(kafka, wanted)
    assert first == {
        f"{kafka.prefix}.log.v1": 4,
        f"{kafka.prefix}.spec.current.v1": 1,
        f"{kafka.prefix}.bench.events.v1": 4,
    }
    assert make_or_check(kafka, wanted) == first


def test_a_topic_with_another_cleanup_policy_is_named_with_the_command(kafka):
    topic = topics.spec_current(kafka)
    with kafka.admin() as admin:
        admin.create_topics({topic.name: {"num_partitions": 1, "configs": {"cleanup.policy": "delete"}}})
        admin.wait_for_topics([topic.name])
    with pytest.raises(Refused, match=r"cleanup.policy=delete.*kafka-configs.sh .*--add-config cleanup.policy=compact"):
        make_or_check(kafka, [topic])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (topics.bench_events, r"has 1 partitions, and 4 are asked for.*kafka-topics.sh .*--partitions 4"),
        (topics.whole_log, r"keys would move.*LODESTONE_KAFKA_PARTITIONS=1"),
    ],
)
def test_too_few_partitions_are_named_with_what_to_do(kafka, make, words):
    few = Cluster(kafka.servers, kafka.prefix, partitions=1)
    make_or_check(few, [make(few)])
    with pytest.raises(Refused, match=words):
        make_or_check(kafka, [make(kafka)])


def test_a_cluster_that_is_away_is_named():
    with pytest.raises(Unavailable, match=r"Kafka at 127.0.0.1:1 does not answer"):
        make_or_check(Cluster("127.0.0.1:1", reach_s=0.3), [])


def test_tries_at_a_cluster_that_is_away_leave_nothing_behind():
    away = Cluster("127.0.0.1:1", reach_s=0.05)
    kinds = (lambda: make_or_check(away, []), lambda: away.producer("test"), lambda: away.consumer("test"))
    before = set(threading.enumerate())
    for kind in kinds:
        with pytest.raises(Unavailable):
            kind()
    assert set(threading.enumerate()) - before == set()


@pytest.mark.parametrize(
    ("one", "other"), [("a.b:c", "a:b.c"), ("a_b:c", "a.b:c"), ("a%3Ab:c", "a:b:c"), ("é:x", "e:x"), ("a-b:c", "a:b-c")]
)
def test_no_two_parties_share_a_topic(one, other):
    parts = {topic_part(one), topic_part(other)}
    assert len(parts) == 2
    assert len({part.replace(".", "_") for part in parts}) == 2
    assert all(set(part) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for part in parts)


def test_a_sender_whose_clock_is_hours_ahead_is_not_refused_by_the_broker(kafka):
    wanted = [*fixed_topics(kafka), topics.bench_events(kafka), topics.bench_rejected(kafka)]
    topics.make_or_check(kafka, [*wanted, topics.supplier_feed(kafka, "norrland:norrland")])
    ahead = int((time.time() + 49 * 3600) * 1000)
    producer = kafka.producer("ahead")
    try:
        sent = [producer.send(topic.name, b"{}", key=b"k", timestamp_ms=ahead) for topic in wanted]
        told = [future.get(timeout=PATIENCE_S).timestamp for future in sent]
    finally:
        producer.close(timeout=5)
    assert all(abs(stamp / 1000 - time.time()) < 600 for stamp in told)
