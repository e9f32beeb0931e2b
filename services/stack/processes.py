"""A part of ours as a process: started, or found again after its supervisor died, asked how it is, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import httpx

from events.errors import Unavailable
from services.cli.health import trouble
from services.stack.home import Home, born
from services.stack.topology import Part, Places, environment
from services.store import leases
from services.store.database import Database

OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATA_DIR", "HOST", "PORT", "PUBLIC_URL")
"""Settings that the stack decides, and those of Kafka's door, which is open on a broker of our own."""
KAFKA_DOOR = ("BOOTSTRAP_SERVERS", "SECURITY_PROTOCOL", "SASL_MECHANISM", "USERNAME", "PASSWORD", "CA_FILE")
STOP_S = 30.0


def told_to(part: Part, places: Places) -> dict[str, str]:
    """The environment of a part: its user's, and in it what the stack decides."""
    dropped = {f"LODESTONE_{name}" for name in (*OURS, *(f"KAFKA_{name}" for name in KAFKA_DOOR))}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | dict(environment(part, places))


class Process:
    """One part of ours on this machine."""

    def __init__(self, part: Part, home: Home, places: Callable[[], Places], database: Callable[[], Database]) -> None:
        self.name = part.name
        self.part = part
        self.home = home
        self.places = places
        self.database = database
        self.pid: int | None = None
        self.born: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def adopt(self, pid: int | None, since: int | None) -> bool:
        """Take a process that an earlier supervisor started, if it still runs."""
        if pid is None or since is None or born(pid) != since:
            return False
        self.pid, self.born = pid, since
        return True

    def start(self) -> None:
        """Start it unless it runs; a session of its own, so that Ctrl-C and a closed terminal do not reach it."""
        if self.alive():
            return
        out = self.home.open_log(self.name)
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "services.cli", *self.part.command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=told_to(self.part, self.places()),
                start_new_session=True,
            )
        finally:
            os.close(out)
        self.pid, self.born = self._child.pid, born(self._child.pid)

    def alive(self) -> bool:
        """Whether it runs."""
        if self._child is not None:
            return self._child.poll() is None
        return self.pid is not None and born(self.pid) == self.born

    def ended(self) -> str | None:
        """None for a part that did what it should once; else how it ended, with the last thing it said."""
        code = self._child.returncode if self._child is not None else None
        if self.part.once and code == 0:
            return None
        how = f"it was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        return f"It ended ({how}); it said last: {self._last_words()}"

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.home.log(self.name).read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "nothing"
        return "nothing"

    def trouble(self) -> str | None:
        """None when it is well, else what it still lacks."""
        if self.part.door is not None:
            return self._door_trouble()
        return self._report_trouble()

    def _door_trouble(self) -> str | None:
        at = self.places()
        try:
            answer = httpx.get(f"http://{at.host}:{at.port + (self.part.door or 0)}/readyz", timeout=5.0)
        except httpx.HTTPError:
            return "Its door does not answer."
        if answer.status_code == 200:
            return None
        parts = answer.json().get("parts", {})
        return next((f"{part['detail']}" for part in parts.values() if not part["ready"]), "It is not ready.")

    def _report_trouble(self) -> str | None:
        if self.pid is None:
            return "It has not started."
        try:
            return trouble(self.database(), list(self.part.reports), leases.owner_of(self.pid))
        except Unavailable as error:
            return error.detail

    def stop(self) -> str | None:
        """Ask it to finish, and wait; kill it when it does not. None for an end in order, else what had to be done."""
        if self.pid is None or not self.alive():
            return None
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while self.alive():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                return f"{self.name} did not end within {STOP_S:.0f} s and was killed."
            time.sleep(0.05)
        return None
