"""A plant under fault: both engines, every process of ours, and a proxy between any two that talk to each other."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
from sqlalchemy.engine import make_url

from services.stack.kafka import KafkaBroker
from services.stack.ports import free_port
from services.store.database.postgres import DATABASE, EmbeddedPostgres
from tests.faults.disk import Disk
from tests.faults.proxy import Proxy
from tests.journeys.running import initialised
from tests.processes import environment
from tests.waiting import PATIENCE_S

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "service-1": ("serve", "--no-worker"),
    "service-2": ("serve", "--no-worker"),
    "worker-1": ("worker", "--no-decider", "--ingress"),
    "worker-2": ("worker", "--no-decider", "--ingress"),
    "shard-1": ("worker", "--no-fold", "--shard"),
    "shard-2": ("worker", "--no-fold", "--shard"),
    "relay-1": ("relay",),
    "relay-2": ("relay",),
}
"""Nobody decides: what is checked is what the benches sent."""
PARTITIONS = 4


@dataclass
class Process:
    """One process of ours: started again by whoever stands by it, here the plant."""

    name: str
    program: tuple[str, ...]
    environment: dict[str, str]
    log: IO[bytes]
    running: subprocess.Popen[bytes] | None = None

    @property
    def kind(self) -> str:
        """`service`, `worker`, `shard` or `relay`."""
        return self.name.partition("-")[0]

    def start(self) -> None:
        command = [sys.executable, "-m", *self.program, *COMMANDS[self.name]]
        self.running = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def signal(self, number: signal.Signals) -> None:
        assert self.running is not None
        with suppress(ProcessLookupError):
            self.running.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and another one at once."""
        assert self.running is not None
        self.signal(signal.SIGKILL)
        self.running.wait()
        self.start()

    def stand_by(self) -> bool:
        """Start it again where it ended by itself; whether it had."""
        assert self.running is not None
        if self.running.poll() is None:
            return False
        self.start()
        return True

    def end(self) -> int:
        """SIGTERM; the exit code."""
        assert self.running is not None
        self.signal(signal.SIGTERM)
        try:
            return self.running.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.running.kill()
            return -9


@dataclass
class Plant:
    """Engines, proxies and processes; used with `with`, at whose end all ends.

    The folder is taken away then, unless something went wrong: logs and data stay to be looked at.
    """

    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lodestone-plant-")))
    processes: dict[str, Process] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    engines: list[EmbeddedPostgres | KafkaBroker] = field(default_factory=list)
    disks: dict[str, Disk] = field(default_factory=dict)
    """Small disks of `postgres`, its `wal` and `kafka`, where they have one."""
    program: Callable[[str], tuple[str, ...]] = lambda name: ("services.cli",)
    """The module that runs a process, and what comes before its command."""
    kept: bool = False
    """Whether the folder stays, for something went wrong."""

    def __enter__(self) -> "Plant":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.kept = self.kept or (kind is not None and kind is not KeyboardInterrupt)
        self.remove()

    def start(self) -> None:
        """Both engines, the migration, then everything else."""
        self.home.chmod(0o711)
        with ThreadPoolExecutor(2) as engines:
            for started in [engines.submit(self._start_database), engines.submit(self._start_broker)]:
                started.result()
        self.ports = {"service-1": free_port(), "service-2": free_port()}
        for name, port in self.ports.items():
            self.proxies[f"bench to {name}"] = Proxy(("127.0.0.1", port))
        self.command("migrate")
        for name in COMMANDS:
            log = (self.home / f"{name}.log").open("ab")
            self.processes[name] = Process(name, self.program(name), self.environment(name), log)
            self.processes[name].start()

    def small(self, engine: str, megabytes: int) -> None:
        """Give `postgres`, its `wal` or `kafka` a small disk of its own; before `start`."""
        self.home.chmod(0o711)
        self.disks[engine] = Disk(self.home / f"disk of {engine}", megabytes)

    def _folder(self, engine: str) -> Path:
        return (self.disks[engine].folder if engine in self.disks else self.home) / engine

    def _start_database(self) -> None:
        port = free_port()
        subprocess.run(["cp", "-a", initialised(), self._folder("postgres")], check=True)
        if "wal" in self.disks:
            wal = self._folder("postgres") / "data" / "pg_wal"
            subprocess.run(["cp", "-a", wal, self.disks["wal"].folder], check=True)
            shutil.rmtree(wal)
            wal.symlink_to(self.disks["wal"].folder / "pg_wal")
        self.postgres = EmbeddedPostgres(self._folder("postgres"), port=port)
        self.engines.append(self.postgres)
        self.addresses = self.postgres.open()
        for kind in ("service", "worker", "shard", "relay"):
            self.proxies[f"{kind} to database"] = Proxy(("127.0.0.1", port))

    def _start_broker(self) -> None:
        port = free_port()
        proxy = self.proxies["all to broker"] = Proxy(("127.0.0.1", port))
        advertised = {"advertised.listeners": f"PLAINTEXT://{proxy.address}"}
        self.broker = KafkaBroker(self._folder("kafka"), port, advertised)
        self.engines.append(self.broker)
        self.broker.open()

    @property
    def kafka(self) -> str:
        """Where clients of Kafka bootstrap: through the proxy."""
        return self.proxies["all to broker"].address

    def database_url(self, kind: str, role: str = "service") -> str:
        """The database as parts of this kind reach it: through their proxy."""
        url = make_url(getattr(self.addresses, role))
        proxy = self.proxies[f"{kind} to database"]
        plain = url.set(drivername="postgresql", host="127.0.0.1", port=proxy.port, query={}, database=DATABASE)
        return plain.render_as_string(hide_password=False)

    def environment(self, name: str = "service-1") -> dict[str, str]:
        """What a part is told."""
        kind = name.partition("-")[0]
        told = environment(
            self.home / "data",
            database_url=self.database_url(kind),
            database_owner_url=self.database_url(kind, "owner"),
            kafka_bootstrap_servers=self.kafka,
            kafka_partitions=PARTITIONS,
            port=self.ports.get(name, 0),
        )
        return told | {"PYTHONFAULTHANDLER": "1"}

    def command(self, *arguments: str) -> str:
        """Run a command to its end; what it printed."""
        command = [sys.executable, "-m", "services.cli", *arguments]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def client(self, name: str, token: str) -> httpx.Client:
        """An HTTP client of one of the services, through its proxy."""
        url = f"http://{self.proxies[f'bench to {name}'].address}"
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def of_kind(self, kind: str) -> list[Process]:
        """The processes of one kind."""
        return [process for process in self.processes.values() if process.kind == kind]

    def stand_by(self) -> None:
        """Start again what ended by itself."""
        for process in self.processes.values():
            process.stand_by()

    def trouble(self) -> str:
        """The last words of everybody and where each thread of ours stands; it ends all, and the logs stay."""
        self.kept = True
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGABRT)  # faulthandler writes every thread's stack
            if process.running is not None:
                process.running.wait()
        words = []
        for name in COMMANDS:
            lines = (self.home / f"{name}.log").read_text(errors="replace").splitlines()
            lines = [line for line in lines if '"event": "request"' not in line]
            words.append("\n".join([f"--- {name}", *lines[-60:]]))
        return "\n".join([*words, f"Logs and data are in {self.home}"])

    def remove(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGKILL)
            if process.running is not None:
                process.running.wait()
            process.log.close()
        for proxy in self.proxies.values():
            proxy.close()
        for engine in self.engines:
            engine.close()
        for disk in self.disks.values():
            disk.remove()
        if not self.kept:
            shutil.rmtree(self.home, ignore_errors=True)
