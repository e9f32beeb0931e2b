"""Relays that are killed, paused and doubled: a reader of committed records sees each event once, in order."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.store.log import Append, Log
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import newest
from tests.store.facts import draft
from tests.transports.relay.plain import number, read
from tests.transports.relay.processes import Relays
from tests.waiting import until

KILLS = 5


@pytest.fixture
def relays(database, kafka, tmp_path) -> Iterator[Relays]:
    with Relays(database, kafka, tmp_path) as made:
        yield made


@contextmanager
def load(log: Log) -> Iterator[None]:
    """Somebody appends all the while."""
    ended = threading.Event()

    def append() -> None:
        while not ended.wait(0.02):
            log.append(Append(tuple(draft(f"lots/l{random.randrange(40)}") for _ in range(10))))

    thread = threading.Thread(target=append)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def check(kafka: Cluster, log: Log) -> None:
    """The topic is the log: each event once, its bytes, its partition's order, and the recorded ends are right."""
    found = read(kafka.servers, kafka.name("log.v1"))
    assert len(found) == log.head()
    assert {number(one, "position"): one.value for one in found} == dict(log.read_bytes(0, 1_000_000))
    progress = newest(kafka)
    assert progress is not None and progress.position == log.head()
    for partition, share in enumerate(progress.shares):
        mine = [one for one in found if one.partition == partition]
        positions = [number(one, "position") for one in mine]
        assert positions == sorted(positions)
        assert [number(one, "sequence") for one in mine] == list(range(1, len(mine) + 1))
        assert (share.sequence, share.end) == (len(mine), mine[-1].offset + 1)


def caught_up(kafka: Cluster, log: Log) -> bool:
    known = newest(kafka)
    return known is not None and known.position == log.head()


def test_nothing_is_doubled_or_lost_when_relays_are_killed_under_load(relays, kafka, log):
    relays.start()
    relays.start()
    with load(log):
        for _ in range(KILLS):
            until(relays.active, relays.log)
            time.sleep(random.random() * 0.4)
            active = relays.active()
            if active is not None:
                relays.kill(active)
                relays.start()
        until(relays.active, relays.log)
    until(lambda: caught_up(kafka, log), relays.log)
    until(lambda: sorted(said["state"] for said in relays.states().values()) == ["standby", "working"], relays.log)
    assert [relays.end(name) for name in list(relays.running)] == [0, 0]
    check(kafka, log)


def test_a_relay_that_was_paused_publishes_nothing_when_it_wakes(relays, kafka, log):
    first = relays.start()
    with load(log):
        until(relays.active, relays.log)
        second = relays.start()
        until(lambda: relays.states().get(second, {}).get("state") == "standby", relays.log)
        relays.signal(first, signal.SIGSTOP)
        until(lambda: relays.states().get(second, {}).get("state") == "working", relays.log)
        relays.signal(first, signal.SIGCONT)
        until(lambda: relays.states().get(first, {}).get("state") == "standby", relays.log)
    until(lambda: caught_up(kafka, log), relays.log)
    check(kafka, log)
