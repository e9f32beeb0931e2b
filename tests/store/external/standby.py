"""A standby that streams from a server, and a service with everything on one database, over HTTP."""

import shutil
import threading
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from services.app import create_app
from services.doors.context import COOKIE
from services.settings import Settings
from services.stack.ports import free_port
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.wiring import made
from services.worker import Worker
from tests.doors.service import _start
from tests.waiting import PATIENCE_S


def stream(primary: EmbeddedPostgres, folder: Path) -> EmbeddedPostgres:
    """A standby in `folder`, made by pg_basebackup, that answers."""
    folder.mkdir(mode=0o711)
    standby = EmbeddedPostgres(folder, port=free_port(), unsafe_fast=True)
    standby.kept.give(folder)
    admin = make_url(primary.addresses("postgres").admin).set(drivername="postgresql")
    address = admin.render_as_string(hide_password=False)
    primary.user.run(primary.bin / "pg_basebackup", "-D", standby.data, "-R", "-N", "-c", "fast", "-d", address)
    shutil.copy(primary.folder / "secrets.json", folder)
    standby.open()
    return standby


def either(first: EmbeddedPostgres, second: EmbeddedPostgres, name: str) -> str:
    """The URL of a database on whichever of two servers takes writes."""
    url = first.addresses(name).service
    where = f"127.0.0.1:{first.listening.number}"
    return f"{url.replace(where, f'{where},127.0.0.1:{second.listening.number}')}?target_session_attrs=read-write"


class Whole:
    """All parts of a service on this database, its doors at `url`, and, once `work` was called, a worker."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.database = Database(url, pool_size=4)
        self.parts = made(Settings(data_dir=data_dir, database_url=url), self.database)
        runtime = self.parts.runtime()
        self.stopping = runtime.stopping
        self._server, self._thread, port = _start(create_app(runtime))
        self.url = f"http://127.0.0.1:{port}"
        self.worker = Worker(self.parts.projector, None, self.parts.sealer)
        self.working = threading.Thread(target=self.worker.run, daemon=True)
        self.clients: list[httpx.Client] = []

    def client(self, token: str) -> httpx.Client:
        """A program with this token."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S))
        return self.clients[-1]

    def person(self, session: str) -> httpx.Client:
        """A browser with this session."""
        headers = {"Accept": "text/html", "Cookie": f"{COOKIE}={session}"}
        self.clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S))
        return self.clients[-1]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.stopping.set()
        self.worker.stop()
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        if self.working.ident is not None:
            self.working.join(PATIENCE_S)
        self.parts.log.close()
        self.database.dispose()
