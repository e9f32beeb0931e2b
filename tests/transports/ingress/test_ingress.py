"""Events from Kafka enter the log, each once, whatever is sent, however often, and whoever takes it in."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from structlog.testing import capture_logs

from events.errors import Unavailable
from services.store.log import Log
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.moving import Patience
from tests.processes import environment
from tests.store.facts import straight
from tests.transports.ingress.bench import Bench, ingress_of, outcomes, rows, running, stored_ids
from tests.waiting import PATIENCE_S, until


def ids(events):
    return sorted(event["id"] for event in events)


def lags(ingress):
    """What is reported of each partition; the reporter's thread may be at it just now."""
    return list(ingress.figures.tally.figures().get("kafka_consumergroup_lag", {}).values())


def test_each_event_enters_once_in_both_modes_with_repeats_and_reordering(kafka, database, bench):
    events = bench.events(60)
    bench.send(*events[:30])
    bench.send(*events[30:], mode="binary")
    bench.send(*reversed(events))
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 60, "duplicate": 60})
        ingress.figures.measure()
        until(lambda: lags(ingress) == [0.0] * 4)
    assert sorted(stored_ids(database)) == ids(events)
    assert rows(database, "SELECT sum(next) FROM log_cursors") == [(120,)]


def test_a_group_whose_offsets_were_reset_brings_nothing_a_second_time(kafka, database, bench):
    bench.send(*bench.events(20))
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 20})
    with kafka.admin() as admin:
        admin.delete_groups([kafka.name("ingress")])
    more = bench.events(5)
    bench.send(*more)
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 5})
    assert stored_ids(database)[-5:] != [] and len(stored_ids(database)) == 25


def test_a_topic_that_was_made_anew_is_an_alarm_and_is_read_from_its_start(kafka, database, bench):
    old = bench.events(20)
    bench.send(*old)
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 20})
        with kafka.admin() as admin:
            admin.delete_topics([bench.topic])
            until(lambda: bench.topic not in admin.list_topics())
        again = Bench(kafka, database, "B2")
        new = [{**event, "source": "/benches/B2"} for event in again.events(60)]
        again.send(*new)  # more than there were before: by their offsets alone nobody would know
        until(lambda: outcomes(ingress).get("accepted") == 80)
        assert "made anew" in ingress.figures.says()["detail"]
    assert sorted(stored_ids(database)) == ids(old + new)


def test_while_the_database_is_away_the_group_keeps_its_member_and_then_everything_goes_on(
    kafka, database, bench, postgres
):
    bench.send(*bench.events(5))
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 5})
        before = ingress.figures.tally.figures()["lodestone_ingress_rebalances_total"]
        with away(database, postgres):
            bench.send(*bench.events(30))
            until(lambda: "does not answer" in str(ingress.figures.trouble))
            until(lambda: ingress.figures.reader and ingress.figures.reader.paused)
        until(lambda: outcomes(ingress).get("accepted") == 35)
        assert ingress.figures.trouble is None
        assert ingress.figures.tally.figures()["lodestone_ingress_rebalances_total"] == before
    assert len(set(stored_ids(database))) == 35


class Faltering(Log):
    """One that cannot write its second batch, once, as when the database fails over."""

    appends = 0

    def append(self, request):
        self.appends += 1
        if self.appends == 2:
            raise Unavailable("The database does not answer.")
        return super().append(request)


def test_a_batch_that_was_not_written_is_read_again_before_those_behind_it(kafka, database, bench):
    events = bench.events(2_500)
    bench.send(*events, partition=0)  # several batches of one poll
    with running(ingress_of(kafka, database, log=Faltering(database))) as ingress:
        until(lambda: outcomes(ingress).get("accepted", 0) >= len(events))
    assert stored_ids(database) == [event["id"] for event in events]


@contextmanager
def away(database, postgres) -> Iterator[None]:
    """The database takes no connections, and those that there are break."""
    name = rows(database, "SELECT current_database()")[0][0]
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with straight(postgres.addresses("postgres").admin) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute(others, (name,))
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_members_that_come_and_go_in_the_middle_bring_every_event_once(kafka, database, bench):
    events: list = []
    enough = threading.Event()

    def publish():
        while not enough.is_set():
            some = bench.events(20)
            bench.send(*some)
            events.extend(some)

    publishing = threading.Thread(target=publish)
    first, second = ingress_of(kafka, database), ingress_of(kafka, database)
    with running(first):
        until(lambda: first.figures.reader and first.figures.reader.places)
        publishing.start()
        with running(second):
            until(lambda: outcomes(second).get("accepted", 0) >= 20)
        before = outcomes(first)["accepted"]
        until(lambda: outcomes(first)["accepted"] >= before + 20)
        enough.set()
        publishing.join()
        until(lambda: len(stored_ids(database)) >= len(events))
    assert sorted(stored_ids(database)) == ids(events)
    assert rows(database, "SELECT sum(next) FROM log_cursors") == [(len(events),)]


@contextmanager
def process(cluster: Cluster, database, folder) -> Iterator[subprocess.Popen]:
    """`lodestone worker --ingress --no-fold` as a process."""
    told = environment(folder, cluster, database_url=database.url)
    command = [sys.executable, "-m", "services.cli", "worker", "--ingress", "--no-fold"]
    running = subprocess.Popen(command, env=told, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing_and_one_that_is_asked_ends_in_order(
    kafka, database, bench, tmp_path
):
    events = bench.events(4_000)
    bench.send(*events)
    with process(kafka, database, tmp_path) as killed:
        until(lambda: rows(database, "SELECT max(position) FROM log_events")[0][0] > 500)
        killed.send_signal(signal.SIGKILL)
    with process(kafka, database, tmp_path) as asked:
        until(lambda: rows(database, "SELECT max(position) FROM log_events")[0][0] > 4_000)
        asked.terminate()
        assert asked.wait(PATIENCE_S) == 0
    assert sorted(stored_ids(database)) == ids(events)
    assert rows(database, "SELECT sum(next) FROM log_cursors") == [(4_000,)]
    with kafka.admin() as admin:
        assert admin.describe_groups([kafka.name("ingress")])[kafka.name("ingress")]["members"] == []


@pytest.mark.parametrize("who", ["another program", "another log"])
def test_a_group_that_somebody_else_uses_is_named_with_what_to_do(kafka, database, bench, who):
    name = "billing" if who == "another program" else f"{kafka.prefix}-ingress-01234567"
    other = KafkaConsumer(bootstrap_servers=kafka.servers, group_id=kafka.name("ingress"), client_id=name)
    assert other.partitions_for_topic(bench.topic)  # else the group would share out a topic that it knows nothing of
    other.subscribe([bench.topic])
    until(lambda: other.poll(timeout_ms=100) or other.assignment())
    with running(ingress_of(kafka, database)) as ingress:
        told = until(lambda: next((words for words in [str(ingress.figures.trouble)] if name in words), None))
        assert "LODESTONE_KAFKA_PREFIX" in told
        assert ingress.figures.says()["state"] == "waiting"
        bench.send(*bench.events(1))
        other.close()
        until(lambda: outcomes(ingress) == {"accepted": 1})
    assert Log(database).head() == 2


def test_a_client_that_brings_nothing_of_one_partition_is_replaced_while_the_others_bring_theirs(
    kafka, database, bench
):
    ingress = ingress_of(kafka, database, patience=Patience(1.0, polls=5))
    with running(ingress), capture_logs() as said:
        until(lambda: ingress.figures.reader and len(ingress.figures.reader.places) == 4)
        stuck = ingress.figures.reader
        assert stuck is not None
        stuck.consumer.pause(TopicPartition(bench.topic, 2))  # behind the member's back, as if it never fetched again
        events = bench.events(40)
        bench.send(*events[:20], partition=2)
        for event in events[20:30]:
            bench.send(event, partition=1)
            until(lambda sent=event: sent["id"] in stored_ids(database))
        until(lambda: [line for line in said if "Nothing comes of partition 2" in str(line.get("reason"))])
        until(lambda: outcomes(ingress) == {"accepted": 30})
        assert ingress.figures.reader is not stuck and ingress.figures.trouble is None
    assert sorted(stored_ids(database)) == ids(events[:30])


class Broken(str):
    """A header's name that is not UTF-8, which the client that reads it cannot take apart."""

    def encode(self, *_):
        return b"\xff\xfe"


def test_a_message_that_cannot_even_be_taken_apart_is_named_with_the_command_that_mends_it(kafka, database, bench):
    bench.send(*bench.events(2), partition=0)
    bench.plain(b"{}", (Broken("name"), b"value"), partition=0)
    bench.send(*bench.events(1), partition=0)
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: "kafka-delete-records.sh" in str(ingress.figures.trouble))
        until(lambda: f"{bench.topic} 0:2." in str(ingress.figures.trouble))
        with kafka.admin() as admin:
            admin.delete_records({TopicPartition(bench.topic, 0): 3})
        until(lambda: outcomes(ingress) == {"accepted": 3})
        assert "offset 2 to 2 were deleted" in ingress.figures.says()["detail"]


def test_kafka_that_is_away_is_named_and_waited_for(database):
    with running(ingress_of(Cluster("127.0.0.1:1", reach_s=0.2), database)) as ingress:
        until(lambda: "Kafka at 127.0.0.1:1 does not answer" in str(ingress.figures.trouble))
