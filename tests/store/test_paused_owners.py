"""A process stopped (SIGSTOP) for longer than its lease: another takes over, and what it goes on with is refused."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.store.database import Database
from services.store.log import Log
from services.store.sealing.sealer import Sealer
from tests.folds.dictionaries import state_digest
from tests.store.facts import straight
from tests.store.projecting.counting import built
from tests.store.projecting.folding import append, in_dictionaries, projecting
from tests.store.sealing.plain import fill, leaves, root
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]


class Owner:
    """The other process."""

    def __init__(self, what: str, database: Database, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.faults.paused_owner", what, database.url, str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def pause(self) -> None:
        """Stop it at its point; its lease runs out meanwhile."""
        assert self.line() == "here"
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> str:
        """Let it go on; what became of its work."""
        os.kill(self.process.pid, signal.SIGCONT)
        assert self.process.stdin is not None
        self.process.stdin.close()
        while (line := self.line()) == "here":
            pass
        return line


@contextmanager
def owner(what: str, database: Database, folder: Path) -> Iterator[Owner]:
    made = Owner(what, database, folder)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def epoch(database: Database, name: str) -> int:
    with straight(database.url) as connection:
        row = connection.execute("SELECT epoch FROM leases WHERE name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("where", ["reading", "folding"])
def test_a_paused_projector_writes_nothing_and_nothing_counts_twice(where: str, log: Log, tmp_path: Path) -> None:
    append(log, *(built(n, f"L{n % 2}", n) for n in range(1, 6)))
    database = log.database
    with owner(where, database, tmp_path) as paused:
        paused.pause()
        other = projecting(log, owner="other")
        assert other.reach_head(seconds=PATIENCE_S)
        assert epoch(database, "projector") == 2
        append(log, *(built(n, f"L{n % 2}", n) for n in range(6, 9)))
        assert other.reach_head(seconds=PATIENCE_S)
        said = paused.go_on()
    assert said == "done: 0" or said.startswith("refused: "), said
    assert other.positions() == {"counting": 8}
    assert other.digest("counting") == state_digest(in_dictionaries(log))


def test_a_paused_sealer_signs_nothing_and_the_log_goes_on_without_it(log: Log, tmp_path: Path) -> None:
    fill(log, 40)
    database = log.database
    with owner("sealing", database, tmp_path) as paused:
        paused.pause()
        other = Sealer(database, log, tmp_path, "other")
        until(other.seal)
        assert epoch(database, "sealer") == 2
        fill(log, 5)
        assert other.seal() == 5
        said = paused.go_on()
    assert said == "done: 0" or said.startswith("refused: "), said
    with database.connect() as connection:
        signed = [row.size for row in connection.exec_driver_sql("SELECT size FROM log_checkpoints ORDER BY size")]
    assert signed == [40, 45]
    assert root(leaves(log)) == newest_root(database)


def newest_root(database: Database) -> bytes:
    with straight(database.url) as connection:
        row = connection.execute("SELECT root FROM log_checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    assert row is not None
    return bytes(row[0])
