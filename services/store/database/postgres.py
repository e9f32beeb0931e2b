"""The embedded PostgreSQL: one server in a data folder, shared by our processes, started and stopped by us.

Whoever opens it first starts it; whoever closes it last stops it. A process that was killed holds no lock, so the
next one starts or reuses the server. Roles: `postgres` (bootstrap), `lodestone_owner` (migrations) and
`lodestone_service` (everything else), with generated passwords in `secrets.json`, readable by its owner only.
"""

import fcntl
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from events.errors import Unavailable
from services.store.database.binaries import Account, account, lives, programs, working_in
from services.store.database.folder import OWNER, SERVICE, DataFolder
from services.store.database.listening import Listening

DATABASE = "lodestone"
START_SECONDS = 60.0
START_TRIES = 3
"""Under heavy load a start right after a crash or a stop was seen to fail once, and not the next time."""
_FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"


@dataclass(frozen=True, slots=True)
class Addresses:
    """How to reach the database: as the owner (migrations) and as the service (everything else)."""

    owner: str
    service: str
    admin: str


class EmbeddedPostgres:
    """A PostgreSQL server in `folder`, reached by a private socket and, with `port`, at 127.0.0.1 too (scram).

    `unsafe_fast` gives up durability and is for tests only.
    """

    def __init__(self, folder: Path, *, port: int | None = None, unsafe_fast: bool = False) -> None:
        self.folder = folder
        self.listening = Listening(port)
        self.unsafe_fast = unsafe_fast
        self.user: Account = account()
        self.kept = DataFolder(folder, self.user, unsafe_fast=unsafe_fast)
        self.data, self.socket = self.kept.data, self.kept.socket
        self._use: IO[str] | None = None
        self._reviving = threading.Lock()

    def open(self) -> Addresses:
        """Start the server unless it runs, make roles and database once, and hold it in use until `close`.

        Raises Unavailable with one sentence when the folder cannot be used or the server does not start.
        """
        self.kept.make()
        self.bin = programs(self.user, self.folder)
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._use = (self.folder / "use.lock").open("w")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            self.kept.initialise(self.bin)
            self.listening = self.listening.beside(self.data)
            if not self._answers():
                self._start()
            self._prepare()
        return self.addresses(DATABASE)

    def close(self) -> None:
        """Let go of the server; stop it when nobody else holds it."""
        if self._use is None:
            return
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._pg_ctl("stop", "-m", "fast", "-w", check=False)
            self._use.close()
            self._use = None

    def revive(self) -> None:
        """Start the server again if it died while we hold it; at once when it answers or another thread is at it."""
        if self._use is None or not self._reviving.acquire(blocking=False):
            return
        try:
            if self._answers():
                return
            with (self.folder / "start.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._answers():
                    self._start()
        finally:
            self._reviving.release()

    def addresses(self, database: str) -> Addresses:
        """The URLs of a database of this server, for SQLAlchemy with psycopg."""
        kept = self.kept.secrets()

        def url(role: str) -> str:
            return self.listening.url(role, kept[role], database, self.socket)

        return Addresses(url(OWNER), url(SERVICE), url("postgres"))

    def kill(self) -> None:
        """Kill the server at once, as a crash would (for tests of recovery)."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 9)

    def _pg_ctl(self, action: str, *options: str, check: bool = True) -> Any:
        return self.user.run(self.bin / "pg_ctl", action, "-D", self.data, *options, check=check)

    def _start(self) -> None:
        fast = _FAST if self.unsafe_fast else ""
        settings = f"{self.listening.options(self.socket)} -c max_connections=200 -c shared_buffers=128MB {fast}"
        log = self.folder / "postgres.log"
        log.touch()
        self.kept.give(log)
        deadline = time.monotonic() + START_SECONDS
        for _ in range(START_TRIES):
            self._clear_after_crash()
            done = self._pg_ctl("start", "-l", str(log), "-o", settings, "-w", "-t", "60", check=False)
            if self._started(done.returncode, deadline):
                return
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        said = " ".join((done.stderr or done.stdout).split())
        raise Unavailable(f"The embedded database did not start ({said}); the end of {log} says: {tail}")

    def _started(self, code: int, deadline: float) -> bool:
        """Whether it answers, at once or, where pg_ctl was content, by the deadline."""
        while not self._answers():
            if code != 0 or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _clear_after_crash(self) -> None:
        """Wait for the children of a killed server to end, then remove its lock file.

        A killed server whose parent has not yet noticed is a zombie: its process id still exists, and PostgreSQL
        would take it for alive.
        """
        lock = self.data / "postmaster.pid"
        deadline = time.monotonic() + 10.0
        while lock.exists() and time.monotonic() < deadline:
            if not lives(int(lock.read_text().split()[0])) and not working_in(self.data):
                lock.unlink(missing_ok=True)
                (self.socket / f".s.PGSQL.{self.listening.number}.lock").unlink(missing_ok=True)
                return
            if self._answers():
                return
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Ready means that a query was answered; a process id or a socket file may be left over from a crash."""
        try:
            with self._admin("postgres") as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _admin(self, database: str) -> psycopg.Connection:
        password = self.kept.secrets()["postgres"]
        return psycopg.connect(
            host=str(self.socket),
            port=self.listening.number,
            user="postgres",
            password=password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _prepare(self) -> None:
        kept = self.kept.secrets()
        with self._admin("postgres") as connection:
            for role in (OWNER, SERVICE):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                    connection.execute(statement.format(sql.Identifier(role), sql.Literal(kept[role])))
        self.make_database(DATABASE)

    def make_database(self, name: str, template: str | None = None) -> None:
        """Make a database owned by the owner role unless it exists; `template` copies another one."""
        with self._admin("postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return
            statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
            if template:
                statement = statement + sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database, with its sessions."""
        with self._admin("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
