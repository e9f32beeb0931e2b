"""A Kafka broker as a process of this machine: one KRaft node in a data folder, shared by whoever holds it in use.

Whoever opens it first starts it. It ends when nobody holds it any more, however its users ended: a small shell beside
it waits for the lock that they share.
"""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import IO

from events.errors import Unavailable
from services.stack.java import java
from services.stack.ports import free_port

START_S = 60.0
STOP_S = 20.0
JVM = ("-Xmx256m", "-Xms64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlog4j2.level=WARN")
_RUN = """
"$@" >>"$LODESTONE_BROKER_LOG" 2>&1 </dev/null &
broker=$!
echo "$broker" >"$LODESTONE_BROKER_PID"
flock --exclusive "$LODESTONE_BROKER_USE" kill "$broker" 2>/dev/null &
watch=$!
wait "$broker"
kill "$watch" 2>/dev/null
"""


def jars() -> Path:
    """The folder of the broker's jars. Raises Unavailable when they were not fetched."""
    folder = Path(sys.prefix) / "kafka" / "libs"
    if not folder.is_dir():
        raise Unavailable(f"The jars of the Kafka broker are not in {folder}: `make test` fetches them.")
    return folder


class KafkaBroker:
    """A broker in `folder` on 127.0.0.1. `port` 0: the one it had, at first one that is free."""

    def __init__(self, folder: Path, port: int = 0, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self.settings = settings or {}
        self._use: IO[str] | None = None

    @property
    def address(self) -> str:
        """What clients bootstrap from."""
        return f"127.0.0.1:{self.port}"

    def open(self) -> str:
        """Start the broker unless it runs, and hold it in use until `close`; its address.

        Raises Unavailable with one sentence when it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._use = (self.folder / "use.lock").open("w")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            self._configure()
            if not self.answers():
                self._start()
        return self.address

    def close(self) -> None:
        """Let go of the broker; it ends, and this waits for it, when nobody else holds it."""
        if self._use is None:
            return
        use, self._use = self._use, None
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                use.close()
                return
            use.close()
            self._wait_until_gone()

    def _wait_until_gone(self) -> None:
        deadline = time.monotonic() + STOP_S
        while (pid := self.pid()) is not None:
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the broker at once, as a crash would (for tests of recovery)."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        while self.pid() is not None:
            time.sleep(0.02)

    def revive(self) -> None:
        """Start the broker again when it died while we hold it."""
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.answers():
                self._start()

    def pid(self) -> int | None:
        """The broker's process, or None while none runs."""
        try:
            pid = int((self.folder / "broker.pid").read_text())
            ours = str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if ours else None

    def answers(self) -> bool:
        """Whether the port takes connections, and the process is ours."""
        if self.pid() is None:
            return False
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
            return True
        return False

    def _configure(self) -> None:
        kept = self.folder / "server.properties"
        if kept.exists():
            lines = dict(line.split("=", 1) for line in kept.read_text().splitlines())
            before = int(lines["listeners"].split(",")[0].rpartition(":")[2])
            if self.pid() is not None:
                self.port = before
                return
            self.port = self.port or before
        self.port = self.port or free_port()
        kept.write_text("".join(f"{name}={value}\n" for name, value in self._properties().items()))

    def _properties(self) -> dict[str, str]:
        controller = f"127.0.0.1:{free_port()}"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            # After kill -9 a broker is let in again once its old session ended.
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "2000",
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            **self.settings,
        }

    def _command(self, main: str, *more: str) -> list[str]:
        return [str(java()), *JVM, "-cp", f"{jars()}/*", main, *more]

    def _format(self) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")
        config = str(self.folder / "server.properties")
        command = self._command("kafka.tools.StorageTool", "format", "-t", cluster, "-c", config)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"The Kafka broker's folder could not be made: {(done.stderr or done.stdout).strip()}")

    def _start(self) -> None:
        self._format()
        log, mark = self.folder / "broker.log", self.folder / "broker.pid"
        mark.unlink(missing_ok=True)
        command = ["sh", "-c", _RUN, "sh", *self._command("kafka.Kafka", str(self.folder / "server.properties"))]
        names = {"LOG": log, "PID": mark, "USE": self.folder / "use.lock"}
        environment = {**os.environ, **{f"LODESTONE_BROKER_{name}": str(path) for name, path in names.items()}}
        shell = subprocess.Popen(command, env=environment, start_new_session=True, cwd=self.folder)
        deadline = time.monotonic() + START_S
        while not self.answers():
            if shell.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "nothing"
                raise Unavailable(f"The Kafka broker did not start; the end of {log} says: {tail}")
            time.sleep(0.05)
