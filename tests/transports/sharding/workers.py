"""A relay and members of the group of shards, in threads or as real processes, on a test's database and topics."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from projections.folds import all_projections
from services.store import leases
from services.store.database import Database
from services.store.log import Log
from services.store.projecting.folding import newest
from services.store.projecting.projector import Projector
from services.store.reports import reports
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.moving import Patience
from services.transports.kafka.relay.relaying import Relay
from services.transports.kafka.sharding.member import PATIENCE, ShardMember
from tests.folds.dictionaries import fold_together, state_digest
from tests.processes import environment
from tests.waiting import PATIENCE_S

DIVISIBLE = ("correlation", "lifetimes")


def projecting(database: Database, owner: str = "one") -> Projector:
    made = Projector(database, Log(database), all_projections(), owner)
    made.prepare()
    return made


@contextmanager
def running(*roles: Any) -> Iterator[None]:
    """These in threads of their own, until the end; what one of them raised is raised then."""
    failed: list[BaseException] = []

    def run(role: Any) -> None:
        try:
            role.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(role,)) for role in roles]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        for role in roles:
            role.stop()
        for one in threads:
            one.join(PATIENCE_S)
    for error in failed:
        raise error


def relay(database: Database, kafka: Cluster, *, from_start: bool = False) -> Relay:
    return Relay(database, Log(database), kafka, "relay", from_start=from_start, page=200)


def member(database: Database, kafka: Cluster, owner: str = "one", patience: Patience = PATIENCE) -> ShardMember:
    return ShardMember(kafka, projecting(database, owner), owner, patience)


def reached(projector: Projector) -> bool:
    """Whether the shares are at the head."""
    positions = projector.positions()
    return min(positions[name] for name in DIVISIBLE) >= projector.log.head()


def live(projector: Projector) -> dict[str, str]:
    """The digests of what is divided."""
    return {name: digest for name, (_, digest) in projector.standing(DIVISIBLE).items()}


def wanted(projector: Projector) -> dict[str, str]:
    """Those of one process that folds the log in dictionaries."""
    events = [newest(one) for one in projector.log.read(0, 100_000)]
    return {name: state_digest(fold_together(projector.projections[name], events)) for name in DIVISIBLE}


class Workers:
    """Real `lodestone worker --shard --no-fold` processes; all that still run are killed at the end."""

    def __init__(self, database: Database, kafka: Cluster, folder: Path) -> None:
        self.database = database
        self.log = folder / "workers.log"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = environment(folder, kafka, database_url=database.url)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.send(name, signal.SIGKILL)

    def start(self) -> str:
        """Start one; the name under which it reports."""
        command = [sys.executable, "-m", "services.cli", "worker", "--shard", "--no-fold"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        name = leases.owner_of(process.pid)
        self.running[name] = process
        return name

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal; one that ends it is waited for."""
        process = self.running[name]
        with suppress(ProcessLookupError):
            process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            del self.running[name]
            assert process.wait(PATIENCE_S) in (0, -number)

    def partitions(self) -> dict[str, set[str]]:
        """The partitions that each worker that still runs says it reads."""
        found: dict[str, set[str]] = {}
        for one in reports(self.database):
            if one.name == "shard" and one.owner in self.running:
                cells = [cell for cell in one.body["figures"] if cell[0] == "lodestone_shard_position"]
                found[one.owner] = {labels[0] for _, labels, _ in cells}
        return found

    def shared_out(self) -> bool:
        """Whether all partitions are read, each by one, and every worker reads some."""
        found = self.partitions()
        listed = sorted(one for partitions in found.values() for one in partitions)
        return len(found) == len(self.running) and all(found.values()) and listed == ["0", "1", "2", "3"]
