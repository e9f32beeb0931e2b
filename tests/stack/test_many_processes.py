"""Two services, three workers and two relays on one database under load: dense positions, and nothing applied twice."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from services import wiring
from services.settings import Settings
from services.stack.ports import free_port
from services.store import leases
from services.store.database import Database
from services.store.log import Log
from services.store.reports import reports
from services.store.verifying import verify
from services.transports.kafka.connecting import Cluster
from tests.faults.load import benches
from tests.journeys.running import COMMAND
from tests.processes import environment
from tests.transports.ingress.bench import Bench
from tests.transports.relay.plain import number, read
from tests.waiting import PATIENCE_S, until

PROCESSES = (*["serve"] * 2, *["worker"] * 3, *["relay"] * 2)
OPTIONS = {"serve": ("--no-worker",), "worker": ("--ingress", "--shard", "--no-decider"), "relay": ()}
LOAD_S = 3.0


class Plant:
    """The processes by the name that they report under, and the doors of the services."""

    def __init__(self, database: Database, kafka: Cluster, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.environment = environment(folder, kafka, database_url=database.url)
        self.ports = [free_port() for command in PROCESSES if command == "serve"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        ports = iter(self.ports)
        for command in PROCESSES:
            self._start(command, next(ports) if command == "serve" else 0)

    def _start(self, command: str, port: int) -> None:
        log = (self.folder / f"{command}.log").open("ab")
        told = self.environment | {"LODESTONE_PORT": str(port)}
        process = subprocess.Popen([*COMMAND, command, *OPTIONS[command]], env=told, stdout=log, stderr=log)
        self.running[leases.owner_of(process.pid)] = process

    def at_work(self, role: str) -> list[str]:
        """Who of this role says that it works, and runs."""
        told = [one for one in reports(self.database) if one.name == role and one.body["state"] == "working"]
        return [one.owner for one in told if one.owner in self.running]

    def end(self, owner: str) -> int:
        """Tell one to end; its exit code."""
        process = self.running.pop(owner)
        process.terminate()
        return process.wait(PATIENCE_S)

    def words(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(PATIENCE_S)


@pytest.fixture
def plant(database: Database, kafka: Cluster, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(database, kafka, tmp_path)
    yield made
    made.kill()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code == 200
    except httpx.HTTPError:
        return False


def test_two_services_three_workers_and_two_relays_apply_everything_once(plant, database, kafka, tmp_path):
    over_kafka = Bench(kafka, database)
    token = wiring.made(Settings(data_dir=tmp_path), database).tokens.issue("admin", "load")
    until(lambda: all(answers(port) for port in plant.ports), plant.words)
    until(lambda: plant.at_work("worker") and plant.at_work("relay") and plant.at_work("ingress"), plant.words)

    doors = cycle(plant.ports)
    headers = {"Authorization": f"Bearer {token}"}
    posting = benches(
        lambda: httpx.Client(base_url=f"http://127.0.0.1:{next(doors)}", headers=headers, timeout=60), 4, seed=1
    )
    published = over_kafka.events(300)
    for bench in posting:
        bench.start()
    over_kafka.send(*published[:150])
    time.sleep(LOAD_S / 2)
    # Who folds and who publishes ends in the middle of it: the others go on where it stood.
    for role in ("worker", "relay"):
        (first, *_) = until(lambda role=role: plant.at_work(role), plant.words)
        assert plant.end(first) == 0
    over_kafka.send(*published[150:], mode="binary")
    time.sleep(LOAD_S / 2)
    for bench in posting:
        bench.ending.set()
        bench.join(PATIENCE_S)
        assert not bench.is_alive() and bench.complaints == []

    client = httpx.Client(base_url=f"http://127.0.0.1:{plant.ports[0]}", headers=headers, timeout=60)
    wanted = {event["id"] for event in published}.union(*(bench.offered for bench in posting))
    until(lambda: wanted <= set(stored(database)), plant.words)
    until(lambda: settled(client, database), plant.words)
    check(database, kafka, tmp_path, wanted, posting)


def stored(database: Database) -> dict[str, int]:
    """The position of every event by id; fails where an id is there twice or a position is missing."""
    log = Log(database)
    events = [(str(event.id), event.position) for event in log.read(0, log.head())]
    log.close()
    assert [position for _, position in events] == list(range(1, len(events) + 1))
    assert {name: count for name, count in Counter(name for name, _ in events).items() if count > 1} == {}
    return dict(events)


def settled(client: httpx.Client, database: Database) -> bool:
    """Whether all are at the head, and nothing is appended any more: what was told is still so afterwards."""
    answer = client.get("/v1/status")
    if answer.status_code != 200:
        return False
    status = answer.json()
    lags = [part["lag"] for part in (*status["projections"].values(), status["relay"])]
    return not any(lags) and status["sealed"]["anchored"] and Log(database).head() == status["position"]


def check(database, kafka, folder, wanted, posting):
    at = stored(database)
    assert wanted <= set(at)
    for bench in posting:
        assert {name: at[name] for name in bench.acknowledged} == bench.acknowledged
    records = read(kafka.servers, kafka.name("log.v1"))
    assert sorted(number(record, "position") for record in records) == list(range(1, len(at) + 1))
    here = wiring.made(Settings(data_dir=folder), database)
    assert verify(here.log, here.projector, lambda _: None, data_dir=folder, saved=[]).problems == []
    here.log.close()
