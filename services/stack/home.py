"""The folder of a stack: where its data, logs and state lie, which ports are its own, and who keeps it."""

import errno
import fcntl
import json
import os
import shlex
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from events.errors import Unavailable
from services.settings import Settings

POSTGRES_BESIDE, KAFKA_BESIDE = 32, 92
"""From the first service's port: with 8600 PostgreSQL is at 8632 and Kafka at 8692, after their usual 5432 and 9092."""
LARGEST_LOG = 20_000_000
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Home:
    """One stack of this machine: its folder, and the first of its ports."""

    folder: Path
    host: str
    port: int
    public_url: str

    @classmethod
    def of(cls, settings: Settings) -> "Home":
        """The stack of these settings: a folder in the data folder, ports counted from LODESTONE_PORT."""
        return cls(settings.data_dir / "stack", settings.host, settings.port, settings.url)

    @property
    def ports(self) -> dict[str, int]:
        """Which part listens where."""
        first = self.port
        return {
            "service-1": first,
            "service-2": first + 1,
            "postgres": first + POSTGRES_BESIDE,
            "kafka": first + KAFKA_BESIDE,
        }

    @property
    def environment_file(self) -> Path:
        """What a shell reads to use the command line on this stack."""
        return self.folder / "environment"

    def log(self, part: str) -> Path:
        """What a part said."""
        return self.folder / "logs" / f"{part}.log"

    def make(self) -> None:
        """Make the folder. Raises Unavailable with what to do where it cannot be made or written."""
        try:
            # The system user that PostgreSQL runs as must be able to pass through.
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
            self.log("any").parent.mkdir(exist_ok=True)
            (self.folder / "supervisor.lock").touch()
        except OSError as error:
            raise Unavailable(
                f"The folder {self.folder} cannot be used ({error.strerror}); set LODESTONE_DATA_DIR to a folder of "
                "your own."
            ) from error

    def open_log(self, part: str) -> int:
        """The file that a part's words go to, as a descriptor; a long one is put aside first."""
        path = self.log(part)
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def state(self) -> State:
        """What the supervisor last wrote: its process, and of each part state, process, since when, what is wrong."""
        try:
            found: State = json.loads((self.folder / "state.json").read_text())
        except (FileNotFoundError, ValueError):
            return {"parts": {}}
        return found

    def keep_state(self, state: State) -> None:
        """Write it in one step, so that a reader sees the old or the new one."""
        part = self.folder / "state.json.part"
        part.write_text(json.dumps(state, indent=1))
        part.replace(self.folder / "state.json")

    def keep_environment(self, told: Mapping[str, str]) -> None:
        """Write the file that a shell reads; passwords stand in it, so it is its owner's alone."""
        descriptor = os.open(self.environment_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in told.items())

    def environment(self) -> dict[str, str]:
        """What that file says."""
        lines = self.environment_file.read_text().splitlines()
        pairs = (shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines)
        return {name: value for name, _, value in pairs}

    @contextmanager
    def kept(self) -> Iterator[bool]:
        """Be the one who keeps this stack until the end; False while another process does."""
        with (self.folder / "supervisor.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def is_kept(self) -> bool:
        """Whether a supervisor runs."""
        if not (self.folder / "supervisor.lock").exists():
            return False
        with self.kept() as ours:
            return not ours

    def running(self) -> set[str]:
        """The parts that run, whether anybody keeps them or not."""
        marks = {"postgres": "postgres/data/postmaster.pid", "kafka": "kafka/broker.pid"}
        found = {name for name, part in self.state()["parts"].items() if part.get("born") and lives(part)}
        for name, mark in marks.items():
            with suppress(OSError, ValueError, IndexError):
                if born(int((self.folder / mark).read_text().split()[0])) is not None:
                    found.add(name)
        return found

    def check_ports(self, without: set[str]) -> None:
        """Raises Unavailable naming the first port that another program has; parts that run have theirs."""
        for name, port in self.ports.items():
            if name not in without:
                _check_free(name, self.host if name.startswith("service") else "127.0.0.1", port)


def born(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; None for one that is gone. A used pid has another."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def lives(part: State) -> bool:
    """Whether the process that a state names still runs."""
    return part.get("pid") is not None and born(int(part["pid"])) == part.get("born")


def _check_free(name: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            said = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
            raise Unavailable(
                f"Port {port} on {host}, for {name}, {said}. Stop that program, or move the whole stack with "
                "LODESTONE_PORT: its ports are that one, the next, and those 32 and 92 after it."
            ) from error
