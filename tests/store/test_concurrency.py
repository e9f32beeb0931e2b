"""Several writing processes at once: dense, each event once, readers never skip, nobody waits for ever."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from tests.store.facts import draft, straight
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 60
EVENTS = sum(1 + number % 3 for number in range(REQUESTS))


def start_writer(url: str, name: str, requests: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.writer", url, name, str(requests), *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def acknowledged(writer: subprocess.Popen[str]) -> list[tuple[str, str, int]]:
    out, err = writer.communicate(timeout=PATIENCE_S)
    lines = (line.split() for line in out.splitlines())
    assert writer.returncode in (0, -signal.SIGKILL), err
    return [(id, status, int(position)) for id, status, position in lines]


def killed_in_the_middle(writer: subprocess.Popen[str]) -> list[tuple[str, str, int]]:
    """Kill it once it has acknowledged something; what it had acknowledged after that."""
    assert writer.stdout is not None and writer.stdout.readline()
    writer.kill()
    return acknowledged(writer)


class Tail(threading.Thread):
    """A reader that follows the log while it is written."""

    def __init__(self, log: Log) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.seen: list[tuple[int, str]] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while True:
            last_round = self.enough.is_set()
            page = self.log.read(len(self.seen), 7)
            self.seen += [(event.position, event.id) for event in page]
            if last_round and not page:
                return


def test_four_processes_write_densely_and_once_and_a_reader_never_skips(log: Log) -> None:
    tail = Tail(log)
    tail.start()
    writers = {name: start_writer(log.database.url, name, REQUESTS) for name in ("a", "b", "c", "d")}
    with ThreadPoolExecutor(2) as killing:  # each as soon as it has begun, whichever of them that is first
        for killed in killing.map(killed_in_the_middle, [writers["c"], writers["d"]]):
            assert len(killed) < EVENTS
    writers |= {name: start_writer(log.database.url, name, REQUESTS) for name in ("c", "d")}
    answers = [answer for writer in writers.values() for answer in acknowledged(writer)]
    tail.enough.set()
    tail.join(PATIENCE_S)
    assert log.head() == 4 * EVENTS
    assert [position for position, _ in tail.seen] == list(range(1, 4 * EVENTS + 1))
    assert set(Counter(id for _, id in tail.seen).values()) == {1}
    assert {id: position for position, id in tail.seen} == {id: position for id, _, position in answers}
    assert [event.stream_version for event in log.read_stream("feeds/shared")] == list(range(1, 4 * EVENTS + 1))


def test_eight_processes_and_a_slow_one_leave_no_hole_and_no_lag(log: Log, postgres: EmbeddedPostgres) -> None:
    tail = Tail(log)
    tail.start()
    with ExitStack() as elsewhere:
        for _ in range(3):
            idle = elsewhere.enter_context(straight(postgres.addresses("postgres").admin))
            idle.execute("BEGIN")
            idle.execute("SELECT pg_current_xact_id(), count(*) FROM pg_class")
        slow = start_writer(log.database.url, "slow", REQUESTS, "2")
        others = [start_writer(log.database.url, f"w{number}", REQUESTS) for number in range(7)]
        assert slow.stdout is not None
        while not slow.stdout.readline().startswith("held"):
            pass
        until(lambda: log.head() == len(tail.seen))
        for writer in (slow, *others):
            writer.communicate(timeout=PATIENCE_S)
            assert writer.returncode == 0
        until(lambda: log.head() == len(tail.seen))  # while transactions are open elsewhere: nobody waits for their end
    tail.enough.set()
    tail.join(PATIENCE_S)
    assert [position for position, _ in tail.seen] == list(range(1, 8 * EVENTS + 1))
    assert set(Counter(id for _, id in tail.seen).values()) == {1}


def test_what_was_acknowledged_before_a_kill_is_a_duplicate_after_it(log: Log) -> None:
    writer = start_writer(log.database.url, "k", REQUESTS)
    assert writer.stdout is not None
    first = writer.stdout.readline().split()
    writer.kill()
    writer.communicate(timeout=PATIENCE_S)
    again = {id: (status, position) for id, status, position in acknowledged(start_writer(log.database.url, "k", 3))}
    assert again[first[0]] == ("duplicate", int(first[2]))


def test_an_idle_transaction_elsewhere_holds_up_neither_writers_nor_readers(log: Log, database: Database) -> None:
    with straight(database.url) as idle:
        idle.execute("BEGIN")
        idle.execute("INSERT INTO idempotency VALUES ('p', 'k', 'x', 200, NULL, now())")
        idle.execute("SELECT count(*) FROM log_events")
        assert log.append(Append((draft(),)))[0].position == 1
        assert [event.position for event in log.read(0, 10)] == [1]
        idle.execute("ROLLBACK")


def test_every_session_of_the_service_has_its_time_limits(database: Database) -> None:
    with database.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("idle_in_transaction_session_timeout", "statement_timeout", "transaction_isolation")
        ]
    assert shown == ["30s", "1min", "read committed"]


@pytest.mark.parametrize("end", ["continued", "killed"])
def test_a_writer_that_stops_with_the_lock_held_frees_the_others(log: Log, database: Database, end: str) -> None:
    short = f"{database.url}&options=-c%20idle_in_transaction_session_timeout%3D700"
    writer = start_writer(short, "stopped", 0)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "locked\n"
    os.kill(writer.pid, signal.SIGSTOP)
    started = time.monotonic()
    (outcome,) = log.append(Append((draft(),)))
    assert (outcome.status, outcome.position) == ("accepted", 1)
    assert time.monotonic() - started < 25  # by its own limit, and not by the usual one of 30 s
    os.kill(writer.pid, signal.SIGCONT if end == "continued" else signal.SIGKILL)
    out, err = writer.communicate("go on\n" if end == "continued" else None, timeout=PATIENCE_S)
    assert "Traceback" not in err
    assert out == ("unavailable\n" if end == "continued" else "")
    assert log.find("/suppliers/magnus", "held") is None
    assert log.head() == 1
