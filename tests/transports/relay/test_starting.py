"""Before the relay goes on: what does not belong together is named with what to do; what was missed is caught up."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from events.envelope import draft_of
from events.errors import DomainError, Refused, UnknownType
from events.receive import Origin
from events.receive import draft as draft_of_model
from events.rules.ledger import EpochOpened
from services.store.database import Database
from services.store.log import Append, Log, leaf_hash, wall_clock
from services.store.sealing.epochs import unsealed
from services.store.sealing.recovering import open_epoch
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import Progress, Share, newest
from services.transports.kafka.relay.publishing import Publisher
from services.transports.kafka.relay.records import Record
from services.transports.kafka.relay.relaying import Relay
from services.transports.kafka.relay.starting import fixed_topics, standing
from services.transports.kafka.topics import make_or_check
from tests.faults.tampering import tamper
from tests.store.facts import draft
from tests.transports.relay.plain import number, read
from tests.transports.relay.test_relay import running, wait_for
from tests.transports.relay.test_specs_and_feeds import book, fill, rebuilt
from tests.waiting import PATIENCE_S, until


def some(log: Log, count: int = 6) -> None:
    log.append(Append(tuple(draft(f"lots/l{i}") for i in range(count))))


def published(database: Database, log: Log, kafka: Cluster, *, from_start: bool = False) -> Relay:
    """Publish all there is and end."""
    with running(Relay(database, log, kafka, "one", from_start=from_start)) as relay:
        wait_for(relay, log.head())
    return relay


def put(kafka: Cluster, *records: Record) -> None:
    """Write records that the relay did not."""
    make_or_check(kafka, fixed_topics(kafka))
    producer = kafka.producer("test")
    for record in records:
        producer.send(record.topic, record.value, record.key, record.headers, partition=record.partition).get(
            PATIENCE_S
        )
    producer.close()


def delete(kafka: Cluster, name: str) -> None:
    with kafka.admin() as admin:
        admin.delete_topics([name])
        until(lambda: name not in admin.list_topics())


def refusal(relay: Relay, kind: type[DomainError] = Refused) -> str:
    with pytest.raises(kind) as found:
        relay.run()
    assert relay.progress is None or relay.progress.position < relay.log.head()
    return found.value.detail


def shares(*ends: int) -> Sequence[Share]:
    return tuple(Share(end, end) for end in ends)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"log_id": "another"}, "belong to the log another.*LODESTONE_KAFKA_PREFIX"),
    ({"position": 99}, "up to position 99 .*ends at 6 in epoch 1: it was restored.*`lodestone recover`"),
    ({"epoch": 3}, "of epoch 3, .* in epoch 1: it was restored.*`lodestone recover`"),
    ({"shares": shares(0, 0)}, "has 4 partitions, and the relay published to 2.*`lodestone relay --from-start`"),
    ({"shares": shares(0, 7, 0, 0)}, "Partition 1 .* ends at offset 0, .* up to 7.*`lodestone relay --from-start`"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=[next(iter(wrong)) for wrong, _ in WRONG])
def test_progress_that_does_not_fit_is_refused_with_what_to_do(kafka, database, log, wrong, words):
    some(log)
    right = Progress(standing(database).log_id, 1, 3, tuple(shares(0, 0, 0, 0)))
    put(kafka, replace(right, **wrong).record(topics.relay_progress(kafka).name))
    with pytest.raises(Refused, match=words):
        Relay(database, log, kafka, "one").run()
    assert read(kafka.servers, kafka.name("log.v1")) == []


def test_a_log_topic_that_was_made_again_is_filled_from_the_start_when_told_so(kafka, database, log):
    some(log)
    published(database, log, kafka)
    delete(kafka, kafka.name("log.v1"))
    some(log)
    assert "was deleted and made again" in refusal(Relay(database, log, kafka, "two"))
    published(database, log, kafka, from_start=True)
    found = read(kafka.servers, kafka.name("log.v1"))
    assert {number(one, "position"): one.value for one in found} == dict(log.read_bytes(0, 100))
    assert {number(one, "sequence") for one in found if one.offset == 0} == {1}
    assert published(database, log, kafka).progress == newest(kafka)  # and goes on without being told


def test_a_lost_progress_topic_is_named_and_the_log_goes_behind_what_is_there(kafka, database, log):
    some(log)
    published(database, log, kafka)
    delete(kafka, kafka.name("relay.progress.v1"))
    assert "does not say up to where" in refusal(Relay(database, log, kafka, "two"))
    published(database, log, kafka, from_start=True)
    found = read(kafka.servers, kafka.name("log.v1"))
    assert sorted(number(one, "position") for one in found) == sorted(2 * list(range(1, 7)))
    for partition in range(4):
        mine = [one for one in found if one.partition == partition]
        assert [number(one, "sequence") for one in mine] == list(range(1, len(mine) + 1))


def test_what_a_relay_left_that_was_killed_in_its_first_page_counts_as_nothing(kafka, database, log):
    some(log)
    make_or_check(kafka, fixed_topics(kafka))
    killed = Publisher(kafka, 1_000_000)
    killed.fence()

    def dies(last: Any) -> Record:
        raise Refused("It was killed here.")

    with pytest.raises(Refused, match="killed"):
        killed.publish([Record(kafka.name("log.v1"), b"k", b"{}", [], 0)], dies, lambda: None)
    killed.close()
    published(database, log, kafka)
    found = read(kafka.servers, kafka.name("log.v1"))
    assert sorted(number(one, "position") for one in found) == list(range(1, 7))
    assert published(database, log, kafka).progress == newest(kafka)


def test_a_new_epoch_goes_on_after_the_fork_and_brings_the_current_limits_in_line(kafka, database, log):
    fill(log)
    published(database, log, kafka)
    before = newest(kafka)
    assert before is not None
    stale = Record(kafka.name("spec.current.v1"), b"lost:spec/magnet.HcJ", b'{"lost": true}', [])
    put(kafka, stale)
    opened = EpochOpened(log=before.log_id, epoch=2, fork_position=4, reason="A disk was lost.")
    log.append(Append((draft_of_model(opened, id="epoch-2", origin=Origin("/log", "2026-03-01T08:00:00.000000Z")),)))
    published(database, log, kafka)
    found = [one for one in read(kafka.servers, kafka.name("log.v1")) if number(one, "epoch") == 2]
    assert sorted(number(one, "position") for one in found) == list(range(5, log.head() + 1))
    assert rebuilt(read(kafka.servers, kafka.name("spec.current.v1"))).keys() == book(log).keys()
    after = newest(kafka)
    assert after is not None and (after.epoch, after.position) == (2, log.head())
    assert sum(share.sequence for share in after.shares) == before.position + len(found)


def test_what_was_lost_before_it_was_sealed_is_forked_off_by_the_word_of_a_person(kafka, database, log):
    fill(log)
    published(database, log, kafka)
    before = newest(kafka)
    assert before is not None
    put(kafka, replace(before, position=before.position + 2).record(topics.relay_progress(kafka).name))
    assert "`lodestone recover --after`" in refusal(Relay(database, log, kafka, "two"))
    with database.connect() as connection:
        found = unsealed(connection, log.head() - 1)
    open_epoch(database, found, "Two events were lost.", wall_clock())
    published(database, log, kafka)
    again = [one for one in read(kafka.servers, kafka.name("log.v1")) if number(one, "epoch") == 2]
    assert sorted(number(one, "position") for one in again) == [found.shared + 1, log.head()]


def test_a_restored_log_that_grew_past_what_was_published_is_known_by_the_event_that_is_there(kafka, database, log):
    some(log)
    published(database, log, kafka)
    tamper(database.owner_url.replace("+psycopg", ""), "cut", 4)  # as a dump has it that was taken at 3
    some(log, 7)
    assert "has another event there: it was restored" in refusal(Relay(database, log, kafka, "two"))
    with database.connect() as connection:
        found = unsealed(connection, 3)
    open_epoch(database, found, "The last hour was lost.", wall_clock())
    published(database, log, kafka)
    again = [one for one in read(kafka.servers, kafka.name("log.v1")) if number(one, "epoch") == 2]
    assert sorted(number(one, "position") for one in again) == list(range(4, log.head() + 1))


def test_progress_of_an_older_release_does_not_name_its_event_and_is_gone_on_from(kafka, database, log):
    some(log)
    published(database, log, kafka)
    before = newest(kafka)
    assert before is not None and before.leaf == leaf_hash(log.body(6) or b"").hex()
    put(kafka, replace(before, leaf=None).record(topics.relay_progress(kafka).name))
    some(log)
    after = published(database, log, kafka).progress
    assert after is not None and (after.position, after.leaf) == (12, leaf_hash(log.body(12) or b"").hex())


def test_kafka_that_is_away_is_said_once_and_caught_up_with(kafka, database, log, capsys):
    some(log)
    away = Cluster("127.0.0.1:1", prefix=kafka.prefix, reach_s=0.1)
    with running(Relay(database, log, away, "one")) as relay:
        until(lambda: relay.state == "waiting" and "does not answer" in (relay.detail or ""))
        relay.cluster = kafka
        wait_for(relay, log.head())
        until(lambda: relay.state == "working" and relay.detail is None)
    assert capsys.readouterr().out.count("does not answer") <= 1


def test_an_event_too_large_for_kafka_is_named_and_nothing_is_skipped(kafka, database, log):
    some(log)
    published(database, log, kafka)
    with kafka.admin() as admin:
        name, limit = kafka.name("log.v1"), {"max.message.bytes": "5000"}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=limit)])
    log.append(Append((draft(), draft(text="x" * 6_000), draft())))
    said = refusal(Relay(database, log, kafka, "two"))
    assert "The event at position 8 has 6" in said and "--add-config max.message.bytes=" in said
    assert len(read(kafka.servers, kafka.name("log.v1"))) == 6


def test_types_of_a_newer_release_go_through_but_for_specifications_which_it_cannot_read(kafka, database, log):
    newer = {"specversion": "1.0", "source": "/s", "id": "1", "time": "2026-03-01T08:00:00Z", "data": {"x": 1}}
    log.append(Append((draft_of({**newer, "type": "lodestone.lots.lot_polished.v1"}, "lots/a", versioned=False),)))
    published(database, log, kafka)
    log.append(Append((draft_of({**newer, "id": "2", "type": "lodestone.specs.spec_revised.v9"}, "specs/a:b",
                                versioned=True),)))  # fmt: skip
    assert "spec_revised.v9" in refusal(Relay(database, log, kafka, "two"), UnknownType)
    assert len(read(kafka.servers, kafka.name("log.v1"))) == 1
