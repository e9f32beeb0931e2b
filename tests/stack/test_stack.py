"""`make stack`: the whole topology comes up, stays up, is mended, and goes down without a trace."""

import json
import os
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from examples.prius import bench
from examples.prius.fleet import fleet
from examples.prius.story import seats
from services.stack.home import born
from services.stack.topology import ENGINES, PARTS
from services.store.database import Database
from tests.doors.service import BATCH, Service
from tests.stack.local import LocalStack
from tests.stack.rebuild import in_force, in_specs, last_of_each_key
from tests.transports.relay.plain import read
from tests.waiting import until

OF_FACTS = ("genealogy", "certificates", "correlation", "lifetimes")
EVERYTHING = {*ENGINES, *(part.name for part in PARTS)}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """One stack for the tests of this module, in their order."""
    made = LocalStack()
    made.run("up")
    yield made
    made.remove()


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
    until(stack.well)
    before = stack.pids()
    assert set(before) == EVERYTHING
    assert "is running already; nothing was changed" in stack.run("up").stderr
    shown = json.loads(stack.run("status", "--json", check=False).stdout)["parts"]
    assert {name: part["pid"] for name, part in shown.items()} == stack.pids() == before


def through_http(database: Database) -> dict[str, str]:
    """Each projection's digest after the example's facts were posted to a service of one process."""
    service = Service(database)
    facts = [*bench.masters(), *bench.results(), *fleet().events]
    try:
        for seat in seats():
            if (own := [event for event in facts if event["source"] == seat.source]) and seat.source:
                binding = {"source_prefix": seat.source} | ({"party": seat.party} if seat.party else {})
                client = service.client(seat.role, seat.name, **binding)
                client.post("/v1/events", json=own, headers={"Content-Type": BATCH}).raise_for_status()
        service.fold()
        return service.projector.digests()[1]
    finally:
        service.close()


def test_the_worked_example_through_kafka_only_leaves_what_it_leaves_through_http(stack, database):
    summary = stack.lodestone("demo", "--kafka")
    assert (summary["cases"], summary["approved"], summary["rejected"]) == (6, 1, 1)
    expected, found = through_http(database), stack.lodestone("digest")["digests"]
    # What people decide carries the moment and the position of their decision: those projections differ by that alone.
    assert {name: found[name] for name in OF_FACTS} == {name: expected[name] for name in OF_FACTS}

    client = stack.client("auditor", "Otto")
    until(lambda: published(client))
    servers = stack.told()["LODESTONE_KAFKA_BOOTSTRAP_SERVERS"]
    known = in_force(last_of_each_key(servers, "plant-7.spec.current.v1"))
    assert known == in_specs(client.get("/v1/specs", params={"limit": 200}).json()["items"])
    assert known["example-motors:magnet-MAG-N42UH-83", "magnet.HcJ"][2]["lower"] == 1956
    assert len(read(servers, "plant-7.bench.events.v1")) == 1373


def published(client: httpx.Client) -> bool:
    answer = client.get("/v1/status")
    return answer.status_code == 200 and answer.json()["relay"]["lag"] == 0


def test_what_dies_is_started_again_and_what_lost_its_supervisor_is_found_again(stack):
    before = stack.pids()
    os.kill(before["relay"], signal.SIGKILL)
    until(lambda: stack.pids()["relay"] != before["relay"] and stack.well())
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
