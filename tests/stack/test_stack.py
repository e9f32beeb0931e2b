"""`make stack`: the whole topology comes up, stays up, is mended, and goes down without a trace."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from services.stack.home import born
from services.stack.topology import ENGINES, PARTS
from tests.stack.local import LocalStack

EVERYTHING = {*ENGINES, *(part.name for part in PARTS)}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """One stack for the tests of this module, in their order."""
    made = LocalStack()
    made.run("up")
    yield made
    made.remove()


def until(holds: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_port_that_is_taken_is_named_and_nothing_is_started():
    other = LocalStack()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.port + 1))
        taken.listen()
        done = other.run("up", check=False)
    assert done.returncode == 1
    assert f"Port {other.port + 1} on 127.0.0.1, for service-2, is taken" in done.stderr
    assert other.parts() == {}
    other.remove()


def test_every_part_is_well_and_a_second_start_changes_nothing(stack):
    before = stack.parts()
    assert set(before) == EVERYTHING and stack.well()
    assert "is running already; nothing was changed" in stack.run("up").stderr
    assert stack.parts() == before
    assert json.loads(stack.run("status", "--json").stdout)["parts"] == before


def test_what_dies_is_started_again_and_what_lost_its_supervisor_is_found_again(stack):
    before = stack.pids()
    os.kill(before["relay"], signal.SIGKILL)
    until(lambda: stack.well() and stack.pids()["relay"] != before["relay"])
    before = stack.pids()
    os.kill(stack.supervisor, signal.SIGKILL)
    os.kill(before["service-2"], signal.SIGKILL)
    until(lambda: not stack.here.is_kept())
    assert "the rest is started" in stack.run("up").stderr
    after = stack.pids()
    kept = {name for name, pid in after.items() if pid == before[name]}
    assert kept == EVERYTHING - {"kafka", "migrate", "service-2"}
    until(stack.well)


def test_it_ends_in_order_with_every_process_and_keeps_its_data(stack):
    pids = stack.pids()
    told = stack.run("down").stderr
    order = [line.split()[0] for line in told.splitlines() if line.startswith("  ")]
    assert order.index("service-1") < order.index("worker-1") < order.index("kafka") < order.index("postgres")
    assert [name for name, pid in pids.items() if born(pid) is not None] == []
    assert f"kept in {stack.folder}" in told and (stack.folder / "postgres" / "data").exists()
    assert "Removed" in stack.run("down", "--remove-data").stderr
    assert not stack.folder.exists()
