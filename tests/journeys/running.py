"""A whole Lodestone of the journey's own: its data folder, its port, its command line, its processes."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from services.stack.ports import free_port
from services.store.database.binaries import working_in
from services.store.database.postgres import EmbeddedPostgres
from tests.processes import environment
from tests.waiting import PATIENCE_S, until

COMMAND = [sys.executable, "-m", "services.cli"]


@cache
def initialised() -> Path:
    """An embedded database as a first start leaves it, without our tables: made once and copied, for initdb is slow."""
    home = Path(tempfile.mkdtemp(prefix="lodestone-journey-initialised-"))
    home.chmod(0o711)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    server = EmbeddedPostgres(home / "postgres")
    server.open()
    server.close()
    return server.folder


class Running:
    """One installation: `lodestone` commands run in its environment, `serve` stays until `stop`.

    A `bare` one starts from an empty folder, as a user does; the others from a copy of an initialised database.
    """

    def __init__(self, *, bare: bool = False) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="lodestone-journey-"))
        self.home.chmod(0o711)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(self.home / "data", port=self.port)
        self.process: subprocess.Popen[str] | None = None
        if not bare:
            (self.home / "data").mkdir(mode=0o711)
            subprocess.run(["cp", "-a", initialised(), self.home / "data" / "postgres"], check=True)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=PATIENCE_S,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """The JSON that a command prints."""
        done = self.command(*arguments, "--json", check=False)
        assert done.returncode in (0, 1), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own, without waiting for it."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def begin(self, *arguments: str) -> None:
        """Start the service, without waiting for it."""
        log = (self.home / "serve.log").open("a")
        self.process = subprocess.Popen(
            [*COMMAND, "serve", *arguments],
            env=self.environment,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def serve(self, *arguments: str) -> None:
        """Start the service and wait until it is ready."""
        self.begin(*arguments)
        until(self.ready, lambda: f"not ready: {self.words()}")

    def ready(self) -> bool:
        """Whether the service says that it is ready; it runs at least. Raises AssertionError with its words if not."""
        answer = self.asked("/readyz")
        assert self.process is not None and self.process.poll() is None, self.words()
        return answer is not None and answer.status_code == 200

    def asked(self, path: str) -> httpx.Response | None:
        """What the service answers to anybody; None when it does not."""
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}{path}", timeout=20)
        return None

    def words(self) -> str:
        """What the service said."""
        return (self.home / "serve.log").read_text()

    def token(self, role: str, name: str, party: str | None = None, source: str | None = None) -> str:
        """A new token."""
        options = ["--role", role, "--name", name]
        options += ["--party", party] if party else []
        options += ["--source", source] if source else []
        return self.command("token", "create", *options).stdout.strip()

    def client(self, role: str, name: str, party: str | None = None, source: str | None = None) -> httpx.Client:
        """An HTTP client with a new token."""
        secret = self.token(role, name, party, source)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {secret}"}, timeout=PATIENCE_S)

    def settled(self, client: httpx.Client) -> dict[str, Any]:
        """Wait until projections and decider have seen the whole log; the status then."""
        status: dict[str, Any] = {}

        def seen() -> dict[str, Any] | None:
            answer = client.get("/v1/status")
            if answer.status_code == 200:
                status.update(answer.json())
            parts = (*status["projections"].values(), status["decider"]) if status else ()
            return status if parts and not any(part["lag"] for part in parts) else None

        return until(seen, lambda: f"not settled: {status} {self.words()[-2000:]}")

    def stop(self) -> int | None:
        """End the service as an operator would; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(PATIENCE_S)
        return self.process.returncode

    def remove(self) -> None:
        """End everything and take the folder away."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self._end_database()
        shutil.rmtree(self.home, ignore_errors=True)

    def _end_database(self) -> None:
        """Take away the database of commands that were killed; others have stopped it themselves."""
        data = self.home / "data" / "postgres" / "data"
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        until(lambda: not working_in(data))
