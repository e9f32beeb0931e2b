"""A running service for tests: the real application in uvicorn on a free port, one client for each seat."""

import socket
import threading
from typing import Any

import httpx
import uvicorn

from projections import folds
from services.access.sessions import Sessions
from services.access.tokens import Tokens
from services.app import create_app
from services.engine.decider import Decider
from services.runtime import Runtime
from services.store.database import Database
from services.store.log import Log, wall_clock
from services.store.projecting.projector import Projector
from tests.waiting import PATIENCE_S, until

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


class Service:
    """The service at `url`; `fold()` does what the worker process does."""

    def __init__(self, database: Database, **limits: Any) -> None:
        self.database = database
        self.log = Log(database)
        self.projector = Projector(database, self.log, folds.all_projections(), owner="tests")
        self.projector.prepare()
        self.runtime = Runtime(database, self.log, self.projector, wall_clock, version="test", **limits)
        self.app = create_app(self.runtime)
        self.tokens = Tokens(database, self.log, wall_clock)
        self.sessions = Sessions(database, wall_clock)
        self._server, self._thread, port = _start(self.app)
        self.url = f"http://127.0.0.1:{port}"
        self.runtime.public_url = self.url
        self._clients: list[httpx.Client] = []

    def client(self, role: str | None = None, name: str | None = None, **binding: str) -> httpx.Client:
        """A client with a new token of this role; without a role, nobody."""
        headers = {}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens.issue(role, name or role, **binding)}"
        client = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)
        self._clients.append(client)
        return client

    def supplier(self, party: str) -> httpx.Client:
        """A client of the supplier that issues ids under this name."""
        return self.client("supplier", party, party=f"{party}:{party}", source_prefix=f"/suppliers/{party}")

    def person(self, role: str, name: str, party: str | None = None) -> httpx.Client:
        """A browser that opened a one-time link."""
        client = httpx.Client(base_url=self.url, timeout=PATIENCE_S, headers={"Accept": "text/html"})
        self._clients.append(client)
        client.get("/sign-in", params={"code": self.sessions.link(role, name, party)})
        return client

    def fold(self) -> int:
        """Bring every projection to the head of the log."""
        self.projector.catch_up()
        return self.projector.position()

    def turn(self) -> int:
        """Fold and decide until nothing more follows."""
        decider = Decider(self.database, self.log, self.projector, wall_clock, settle_s=0.0)
        while True:
            self.fold()
            if not decider.decide_once():
                return self.fold()

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.runtime.stopping.set()
        self._server.should_exit = True
        self._thread.join(timeout=PATIENCE_S)


def _start(app: Any) -> tuple[uvicorn.Server, threading.Thread, int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    return server, thread, listener.getsockname()[1]


def post(client: httpx.Client, *events: object, **params: Any) -> dict[str, Any]:
    """Post a batch; the answer."""
    response = client.post("/v1/events", json=list(events), headers={"Content-Type": BATCH}, params=params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
