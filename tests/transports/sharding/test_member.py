"""Members of the group of shards: what the relay publishes is folded once, whoever comes and goes."""

import signal
from dataclasses import replace
from random import Random

import pytest
from kafka.structs import TopicPartition
from sqlalchemy import text
from structlog.testing import capture_logs

from events.errors import UnknownType
from events.partitions import partition_of
from projections.folds import all_projections
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.transports.kafka.moving import Patience
from services.transports.kafka.relay.relaying import Relay
from services.transports.kafka.sharding.member import ShardMember
from services.worker import Beside, Together
from tests.folds.plants import Plant, built
from tests.folds.stored import stored
from tests.store.projecting.partitions import store
from tests.transports.sharding.workers import (
    DIVISIBLE,
    Workers,
    live,
    member,
    projecting,
    reached,
    relay,
    running,
    wanted,
)
from tests.waiting import until


def fill(log, *seeds):
    """Random plants, with corrections from one motor to another."""
    for seed in seeds:
        store(log, Plant(Random(seed)).draw(), f"/plant/{seed}")


def folded(one: ShardMember) -> float:
    return one.figures.tally.figures().get("lodestone_shard_events_folded_total", {}).get((), 0)


def test_a_share_goes_on_where_it_was_and_its_position_is_the_head(database, kafka, log):
    projector = projecting(database)
    fill(log, *range(6))
    projector.catch_up(20)
    publisher, first, second = relay(database, kafka), member(database, kafka), member(database, kafka, "two")
    with running(publisher):
        with running(first):
            until(lambda: reached(projector))
            fill(log, 6, 7)
            until(lambda: reached(projector))
            before = log.head()
        with running(second):
            fill(log, 8)
            until(lambda: reached(projector))
        assert folded(first) == before - 20
        assert folded(second) == log.head() - before
    assert projector.catch_up() > 0 and projector.position() == log.head()
    assert live(projector) == wanted(projector)


def test_a_log_that_is_published_again_is_counted_once_and_a_lost_record_is_an_alarm(database, kafka, log):
    projector, one = projecting(database), member(database, kafka)
    fill(log, *range(3))
    with running(relay(database, kafka)), running(one):
        until(lambda: reached(projector))
    with running(relay(database, kafka, from_start=True)), running(again := member(database, kafka, "two")):
        fill(log, 3)
        until(lambda: reached(projector))
        assert folded(again) < log.head()
    with database.begin() as connection:
        connection.execute(text("UPDATE projection_shares SET sequence = sequence - 1 WHERE share = 1"))
    with running(relay(database, kafka)), running(alarmed := member(database, kafka, "three")):
        fill(log, *range(4, 8))
        until(lambda: reached(projector))
        assert "records are missing or repeated. It is read again from its start" in alarmed.figures.says()["detail"]
    assert live(projector) == wanted(projector)


def test_a_client_that_brings_nothing_of_one_partition_is_replaced(database, kafka, log):
    projector, one = projecting(database), member(database, kafka, patience=Patience(1.0, polls=8))
    fill(log, 0)
    with running(relay(database, kafka)), running(one), capture_logs() as said:
        until(lambda: reached(projector))
        stuck = one.reader
        assert stuck is not None
        stuck.consumer.pause(TopicPartition(stuck.topic, 1))  # behind the member's back, as if it never fetched again
        fill(log, 1, 2, 3)
        until(lambda: [line for line in said if "Nothing comes of partition 1" in str(line.get("reason"))])
        until(lambda: reached(projector))
        assert one.reader is not stuck
    assert live(projector) == wanted(projector)


def test_a_worker_ends_at_an_event_of_a_newer_release_with_what_came_before_folded(database, kafka, log):
    projector = projecting(database)
    fill(log, 0)
    log.append_stored([stored(built("N", kirin=1)).replace(b"motor_built.v1", b"motor_built.v9")])
    worker = Together(None, [Beside("shard", member(database, kafka))])
    with running(relay(database, kafka)), pytest.raises(UnknownType, match="Run that release"):
        worker.run()
    share = partition_of("works:N", 4)
    assert projector.sharing.places([share])[share]["correlation"].position == log.head() - 1


def test_a_worker_of_a_new_release_folds_its_shares_once_its_version_is_there(database, kafka, log):
    older = projecting(database)
    fill(log, 0)
    older.catch_up()
    older.let_go()
    raised = [replace(one, version=one.version + 1) if one.name in DIVISIBLE else one for one in all_projections()]
    newer, folder = (Projector(database, Log(database), raised, name) for name in ("newer", "folder"))
    with running(relay(database, kafka)), running(one := ShardMember(kafka, newer, "newer")):
        until(lambda: "is being folded for this release" in str(one.figures.trouble))
        while not folder.whole:
            folder.catch_up()
        until(lambda: len(folder.sharing.divided()) == len(DIVISIBLE))
        fill(log, 2)
        until(lambda: reached(newer))
    assert folded(one) > 0 and live(newer) == wanted(newer)


def test_a_topic_with_another_number_of_partitions_is_named(database, kafka, log):
    one = member(database, kafka)
    one.sharing.divide(3)
    with running(one):
        told = until(lambda: one.figures.trouble)
        assert "divided into 3 shares" in told and "lodestone gather" in told
        assert one.figures.says()["state"] == "waiting"


def test_workers_come_and_go_and_are_killed_and_paused_and_are_one_process(database, kafka, log, tmp_path):
    projector = projecting(database)
    publisher: Relay = relay(database, kafka)
    fill(log, *range(12))
    with running(publisher), Workers(database, kafka, tmp_path) as workers:
        first, second = workers.start(), workers.start()
        until(workers.shared_out)
        fill(log, *range(12, 24))
        workers.send(first, signal.SIGKILL)
        workers.send(second, signal.SIGSTOP)
        fill(log, *range(24, 30))
        third = workers.start()
        until(lambda: workers.partitions().get(third) == {"0", "1", "2", "3"} and reached(projector))
        workers.send(second, signal.SIGCONT)
        fill(log, *range(30, 40))
        until(lambda: workers.shared_out() and reached(projector))
        workers.send(third, signal.SIGTERM)
        fill(log, *range(40, 44))
        until(lambda: reached(projector))
        found = live(projector)
        assert found == wanted(projector)
    for name in DIVISIBLE:
        projector.rebuild(name)
    assert live(projector) == found and projector.parked() == []
