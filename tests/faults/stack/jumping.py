"""`python -m tests.faults clock`: the clocks of processes jump by hours, forward and back, while they work."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.faults.stack.faulting import Faults
from tests.faults.stack.plant import COMMANDS, Plant

HOURS = (-26, -5, -1, 2, 7, 49)
BETWEEN_S = (0.5, 2.0)


class Clocks:
    """A file for each process that says by how much its clock is wrong."""

    def __init__(self, plant: Plant) -> None:
        self.home = plant.home
        plant.program = self.program

    def program(self, name: str) -> tuple[str, ...]:
        """What runs a command under that clock."""
        if not self._file(name).exists():
            self.set(name, 0)
        return ("tests.faults.clocked", str(self._file(name)))

    def set(self, name: str, hours: int) -> None:
        """Let the clock of this process be wrong by so much from now on."""
        part = self._file(name).with_suffix(".part")
        part.write_text(str(hours * 3600))
        part.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.home / f"{name}.clock"


def jump_clocks(faults: Faults, clocks: Clocks, jumps: int, say: Callable[[str], None]) -> None:
    """Let one clock after the other jump; nobody loses a lease by that. Raises AssertionError."""
    faults.works_again("worker")
    faults.works_again("relay")
    before = _leases(faults.plant)
    for number in range(1, jumps + 1):
        name, hours = faults.chance.choice(sorted(COMMANDS)), faults.chance.choice(HOURS)
        clocks.set(name, hours)
        faults.outcome.troubles[f"clock of a {name.partition('-')[0]}"] += 1
        say(f"{number} of {jumps}: the clock of {name} is wrong by {hours:+d} h")
        time.sleep(faults.chance.uniform(*BETWEEN_S))
        faults.works_again("relay")
        faults.works_again("worker")
    after = _leases(faults.plant)
    assert before == after, f"leases went over though nobody stood still: {before} {after}"


def _leases(plant: Plant) -> list[tuple[str, str, int]]:
    with psycopg.connect(plant.addresses.service.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT name, owner, epoch FROM leases ORDER BY name").fetchall()
