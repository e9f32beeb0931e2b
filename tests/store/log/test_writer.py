"""The writer's thread: bounded, stopped cleanly, mended after its connection was killed, and new in a child."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.errors import Forbidden, Unavailable
from services.store.database import Database
from services.store.log import Append, Log, grouping
from services.store.log.writer import Writer
from tests.store.facts import draft, straight
from tests.store.log.gathering import Gate
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[3]


def test_a_full_queue_makes_the_next_caller_wait_and_then_sends_it_away(database: Database) -> None:
    gate = Gate()
    writer = Writer(database, gate, waiting=3, patience_s=0.2)
    gate.open.clear()
    threads = [threading.Thread(target=writer.append, args=(Append((draft(),)),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: writer.waiting == 3)
    with pytest.raises(Unavailable, match="3 events wait") as refused:
        writer.append(Append((draft(),)))
    assert refused.value.facts["retry_after_s"] == 1
    gate.open.set()
    assert writer.append(Append((draft(), draft())))[1].position == 5
    for thread in threads:
        thread.join(PATIENCE_S)
    assert writer.append(Append(tuple(draft() for _ in range(9))))[8].position == 14
    writer.close()


def test_the_thread_is_woken_for_the_first_request_of_a_group_and_not_for_each(database: Database) -> None:
    rung: list[int] = []

    class Counted(Writer):
        def _ring(self) -> None:
            rung.append(len(self._queue))
            super()._ring()

    gate = Gate()
    writer = Counted(database, gate)
    for size in (1, 5, 5):
        gate.open.clear()
        asked = gate.asked
        threads = [threading.Thread(target=writer.append, args=(Append((draft(),)),)) for _ in range(1 + size)]
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda queued=number: writer.waiting > queued)
            until(lambda before=asked: gate.asked > before)
        gate.open.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    writer.close()
    *woken, _ended = rung
    assert woken == [1] * 6, "three groups of one, which the others came behind, and three of 1, 5 and 5"


def test_a_stop_finishes_what_was_accepted_and_refuses_what_comes_later(database: Database) -> None:
    gate = Gate()
    log = Log(database, gate)
    gate.open.clear()
    told: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: told.append(log.append(Append((draft(),)))[0].position)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    until(lambda: log.writer.waiting == 4)
    closing = threading.Thread(target=log.close)
    closing.start()
    until(lambda: log.writer.closed)
    with pytest.raises(Unavailable, match="stopping"):
        log.append(Append((draft(),)))
    gate.open.set()
    closing.join(PATIENCE_S)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(place or 0 for place in told) == [1, 2, 3, 4]
    assert log.head() == 4
    log.close()


def test_a_connection_killed_between_two_appends_is_not_noticed(log: Log, database: Database) -> None:
    log.append(Append((draft(),)))
    kill_others(database)
    assert log.append(Append((draft(),)))[0].position == 2


def test_a_connection_killed_in_the_middle_refuses_that_request_and_serves_the_next(database: Database) -> None:
    gate = Gate()
    log = Log(database, gate)
    gate.open.clear()
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            log.append(Append((draft(id="cut"),)))
        except Unavailable as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: gate.asked == 1)
    kill_others(database)
    gate.open.set()
    asking.join(PATIENCE_S)
    assert [error.detail for error in caught if isinstance(error, Unavailable)] != []
    assert log.find("/suppliers/magnus", "cut") is None
    assert log.append(Append((draft(),)))[0].position == 1
    log.close()


def test_the_writer_goes_on_after_many_requests_and_a_rollback(database: Database) -> None:
    class Refusal(Exception):
        pass

    def clock() -> datetime:
        if len(told) == 12:
            told.append(None)
            raise Refusal
        return datetime(2026, 3, 1, 9, tzinfo=UTC)

    told: list[int | None] = []
    log = Log(database, clock)
    for _ in range(12):
        told.append(log.append(Append((draft("feeds/magnus", versioned=True),)))[0].position)
    with pytest.raises(Refusal):
        log.append(Append((draft("feeds/magnus", versioned=True),)))
    assert log.append(Append((draft("feeds/magnus", versioned=True),)))[0].position == 13
    log.close()


def kill_others(database: Database) -> None:
    with straight(database.owner_url) as connection:
        name = connection.info.dbname
    with straight(database.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
            "AND usename = current_user",
            (name,),
        )


def test_the_head_is_found_where_the_next_partition_begins(log: Log, database: Database) -> None:
    log.append(Append((draft(),)))
    columns = "stream, stream_version, type, recorded_at, content_hash, leaf_hash, body"
    with straight(database.owner_url) as connection:
        for position in (grouping.SPAN - 1, grouping.SPAN, grouping.SPAN + 7):
            connection.execute(
                f"INSERT INTO log_events (position, {columns}) SELECT %s, {columns} FROM log_events WHERE position = 1",
                (position,),
            )
    assert [log.append(Append((draft(),)))[0].position for _ in range(2)] == [grouping.SPAN + 8, grouping.SPAN + 9]


def test_recorded_times_never_go_back(database: Database) -> None:
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    times = iter([start, start - timedelta(hours=1), start + timedelta(hours=1)])
    log = Log(database, lambda: next(times))
    told = [log.append(Append((draft(),)))[0].recorded_time for _ in range(3)]
    assert told == ["2026-03-01T09:00:00.000000Z", "2026-03-01T09:00:00.000000Z", "2026-03-01T10:00:00.000000Z"]
    log.close()


def test_a_child_has_a_writer_of_its_own(log: Log, database: Database) -> None:
    log.append(Append((draft(),)))
    code = (
        "import os, sys\n"
        "from services.store.database import Database\n"
        "from services.store.log import Append, Log\n"
        "from tests.store.facts import draft\n"
        f"log = Log(Database({database.url!r}, pool_size=1))\n"
        "first = log.append(Append((draft(),)))[0].position\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    told = log.append(Append((draft(),)))[0].position\n"
        "    os._exit(told)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n"
        "assert log.append(Append((draft(),)))[0].position == 4\n"
        "log.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr.decode()
    assert log.head() == 4


def test_the_guard_refuses_before_anything_is_taken_in(database: Database) -> None:
    def guard() -> None:
        raise Forbidden("This log was restored from an older dump.")

    log = Log(database, guard=guard)
    with pytest.raises(Forbidden):
        log.append(Append((draft(),)))
    with pytest.raises(Forbidden):
        log.append_stored([b"{}"])
    assert log.head() == 0


def test_a_log_that_nobody_holds_ends_its_thread(database: Database) -> None:
    log = Log(database)
    log.append(Append((draft(),)))
    (thread,) = [thread for thread in threading.enumerate() if thread is log.writer.thread]
    del log
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
