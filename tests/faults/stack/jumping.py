"""`python -m tests.faults clock`: the clocks of processes jump by hours, forward and back, while they work."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg

from tests.faults.stack.faulting import Faults
from tests.faults.stack.plant import COMMANDS, Plant

LIBRARY = "faketime/libfaketimeMT.so.1"
HOURS = (-26, -5, -1, 2, 7, 49)
BETWEEN_S = (0.5, 2.0)


class Clocks:
    """A file for each process that says by how much its clock is wrong; Debian's libfaketime reads it."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.library = library()
        plant.told = self.told

    def told(self, name: str) -> Mapping[str, str]:
        """What makes a process see the clock of its file: the wall clock only, for monotonic clocks do not jump."""
        self.set(name, 0)
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, name: str, hours: int) -> None:
        """Let the clock of this process be wrong by so much from now on."""
        part = self._file(name).with_suffix(".part")
        part.write_text(f"{hours:+d}h\n")
        part.replace(self._file(name))

    def _file(self, name: str) -> Path:
        return self.plant.home / f"{name}.clock"


def library() -> Path:
    """Where libfaketime is. Raises RuntimeError with the command that installs it."""
    found: Iterator[Path] = (place for place in Path("/usr/lib").glob(f"*/{LIBRARY}"))
    place = next(found, None)
    if place is None:
        raise RuntimeError("libfaketime is not here: sudo apt-get install libfaketime")
    return place


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
