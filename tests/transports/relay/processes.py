"""Real `lodestone relay` processes on a test's database and topics."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.store import leases
from services.store.database import Database
from services.store.reports import reports
from services.transports.kafka.connecting import Cluster
from tests.processes import environment
from tests.waiting import PATIENCE_S


class Relays:
    """The processes; all that still run are killed at the end."""

    def __init__(self, database: Database, kafka: Cluster, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = environment(folder, kafka, database_url=database.url)

    def __enter__(self) -> "Relays":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.kill(name)

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "services.cli", "relay", *more]

    def start(self, *more: str) -> str:
        """Start one; the name under which it holds its lease and reports."""
        log = (self.folder / "relay.log").open("ab")
        process = subprocess.Popen(self.command(*more), env=self.environment, stdout=log, stderr=log)
        name = leases.owner_of(process.pid)
        self.running[name] = process
        return name

    def refused(self, *more: str) -> str:
        """Run one that ends by itself with exit 1; what it says."""
        done = subprocess.run(
            self.command(*more), env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        assert done.returncode == 1, done.stderr
        return done.stderr

    def kill(self, name: str) -> None:
        """Kill it at once; nobody waits for the lease of one that is known to be dead."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        leases.drop(self.database, name)

    def end(self, name: str) -> int:
        """Tell it to end; its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(PATIENCE_S)

    def signal(self, name: str, number: signal.Signals) -> None:
        self.running[name].send_signal(number)

    def states(self) -> dict[str, Any]:
        """What each that still runs last said of itself."""
        return {one.owner: one.body for one in reports(self.database) if one.owner in self.running}

    def active(self) -> str | None:
        """The one that publishes."""
        return next((name for name, said in self.states().items() if said["state"] == "working"), None)

    def log(self) -> str:
        return (self.folder / "relay.log").read_text(encoding="utf-8")
