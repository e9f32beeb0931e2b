"""SIGTERM under load: what was begun is answered, what was answered is stored, once, and everybody ends in order."""

import itertools
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from projections import folds
from services.access.tokens import Tokens
from services.settings import PREFIX
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log, wall_clock
from services.store.projecting.projector import Projector
from services.store.verifying import verify
from tests.doors.facts import efficiency
from tests.doors.service import BATCH
from tests.journeys.running import Running
from tests.waiting import PATIENCE_S, until

SIZES = (1, 1, 20, 100)
"""Events in each client's batches."""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Client(threading.Thread):
    """Posts results until somebody tells it that nothing more is taken; counts what was acknowledged."""

    def __init__(self, number: int, client: httpx.Client, *, size: int) -> None:
        super().__init__(daemon=True)
        self.number, self.client, self.size = number, client, size
        self.acknowledged: list[str] = []
        self.begun: list[str] = []
        self.broken: list[Exception] = []

    def run(self) -> None:
        headers = {"Content-Type": BATCH, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        for turn in itertools.count():
            ids = [f"load-{self.number}-{turn}-{n}" for n in range(self.size)]
            events = [efficiency(f"M-{id}", 93.0, id=id) for id in ids]
            self.begun = ids
            try:
                answer = self.client.post("/v1/events", json=events, headers=headers)
            except httpx.ConnectError:
                return
            except httpx.TransportError as error:
                self.broken.append(error)
                return
            if answer.status_code == 503:
                continue
            assert answer.json()["accepted"] == self.size, answer.text
            self.acknowledged += ids


@pytest.fixture
def running() -> Iterator[Running]:
    """An installation of this test's own; nothing runs yet."""
    made = Running()
    yield made
    made.stop()
    made.remove()


@pytest.fixture
def loaded(running: Running):
    """A service and a worker of its own, and clients that post to it."""
    running.environment[f"{PREFIX}DRAIN_S"] = "60"
    running.serve("--no-worker")
    worker = running.start("worker")
    with opened(running) as log:
        secret = Tokens(log.database, log, wall_clock).issue("admin", "load")
    headers = {"Authorization": f"Bearer {secret}"}
    connections = [httpx.Client(base_url=running.url, headers=headers, timeout=PATIENCE_S) for _ in SIZES]
    clients = [Client(n, connections[n], size=size) for n, size in enumerate(SIZES)]
    for client in clients:
        client.start()
    yield worker, clients
    worker.kill()
    for connection in connections:
        connection.close()


@contextmanager
def opened(running: Running) -> Iterator[Log]:
    """The log of this installation, whether it runs or not."""
    server = EmbeddedPostgres(running.home / "data" / "postgres")
    addresses = server.open()
    log = Log(Database(addresses.service, addresses.owner, pool_size=2))
    yield log
    log.close()
    log.database.dispose()
    server.close()


def refused(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=20)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        pass
    return False


def test_a_service_and_a_worker_that_are_told_to_stop_lose_and_double_nothing(running, loaded):
    worker, clients = loaded
    until(lambda: all(len(client.acknowledged) >= 2 * client.size for client in clients))
    until(lambda: folded(running) > 0)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    running.process.send_signal(signal.SIGTERM)
    stopping = until(lambda: said(running))
    assert stopping["status"] == "stopping"
    acknowledged = sum(len(client.acknowledged) for client in clients)
    until(lambda: sum(len(client.acknowledged) for client in clients) > acknowledged)  # it still answers
    running.process.send_signal(signal.SIGTERM)
    until(lambda: refused(running.url))
    assert running.process.wait(PATIENCE_S) == 0
    for client in clients:
        client.join(PATIENCE_S)
    told = [id for client in clients for id in client.acknowledged]
    with opened(running) as log:
        stored = [json.loads(body)["id"] for _, body in log.read_bytes(0, 1_000_000)]
        projector = Projector(log.database, log, folds.all_projections(), "tests")
        found = verify(log, projector, lambda at: None, data_dir=running.home / "data")
    posted = [id for id in stored if id.startswith("load-")]
    assert len(posted) == len(set(posted))
    assert set(posted) == set(told)
    assert found.problems == []
    lines = [json.loads(line) for line in running.words().splitlines() if line.startswith("{")]
    assert any(line.get("trace_id") == TRACE and line["event"] == "request" for line in lines)


def folded(running: Running) -> int:
    answer = running.asked("/metrics")
    return sum(
        float(line.rsplit(" ", 1)[1]) > 0
        for line in (answer.text.splitlines() if answer is not None else ())
        if line.startswith("lodestone_worker_events_folded_total{")
    )


def said(running: Running) -> dict | None:
    """What `/readyz` says once it is 503; None before."""
    answer = running.asked("/readyz")
    return answer.json() if answer is not None and answer.status_code == 503 else None
