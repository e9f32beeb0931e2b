"""One log that grows: events checked, appended, folded and sealed as the product does it, and what each step costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import text

from events.receive import receive
from services.settings import Settings
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append
from services.wiring import Parts, made, spare_the_collector
from tests.benchmarks._server import own_server
from tests.benchmarks.fleet import fleet

CHUNK = 1_000
PIECE, PIECES = 2_500, 4
"""Events that are measured at once, and how often at each mark."""
SMALL = 5_000
"""Events in the small log before anything is measured."""
STEPS = ("check", "append", "fold", "seal")
MOTORS_PER_LOT = 25
PER_LOT = 2 + 4 * MOTORS_PER_LOT
"""Events of a lot and its motors."""


@dataclass(slots=True)
class Mark:
    """What the last events before a size cost, in µs for each, and what is held there.

    `small_us` is what an event cost in a small log at the same time, `growth` how many times as much it costs here.
    """

    events: int
    window: int
    cost_us: dict[str, float]
    small_us: float
    growth: float
    resident_MB: float
    database_MB: float

    @property
    def total_us(self) -> float:
        """All steps together, in µs for each event."""
        return sum(self.cost_us.values())

    def shown(self) -> dict[str, Any]:
        """As build/soak.json holds it."""
        costs = {name: round(cost, 2) for name, cost in self.cost_us.items()}
        return {
            "events": self.events,
            "window": self.window,
            "cost_us": {**costs, "total": round(self.total_us, 2)},
            "small_us": round(self.small_us, 2),
            "growth": round(self.growth, 3),
            "resident_MB": round(self.resident_MB, 1),
            "database_MB": round(self.database_MB, 1),
        }


@dataclass(slots=True)
class Clock:
    """The seconds that each step took since the last mark."""

    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    @contextmanager
    def timing(self, step: str) -> Iterator[None]:
        """Add what happens inside to a step."""
        started = time.perf_counter()
        yield
        self.spent[step] += time.perf_counter() - started

    @property
    def seconds(self) -> float:
        """All steps together."""
        return sum(self.spent.values())

    def add(self, other: "Clock") -> None:
        """What another one measured, too."""
        for step, seconds in other.spent.items():
            self.spent[step] += seconds


def grow(sizes: list[int]) -> Iterator[Mark]:
    """Grow one log through these sizes, and measure the pieces before each.

    Piece by piece beside them a small log grows on the same server, so that what the machine does besides hits both.
    """
    spare_the_collector()
    with own_server() as server, _parts(server, "grown") as here:
        facts, reached = _facts(sizes[-1]), 0
        for number, size in enumerate(sizes):
            piece = min(PIECE, max(1, (size - reached) // PIECES))
            _through(here, facts, size - reached - PIECES * piece, Clock())
            with _parts(server, f"small_{number}") as small:
                yield _mark(here, facts, small, size, piece)
            reached = size


def _mark(here: Parts, facts: Iterator[Any], small: Parts, size: int, piece: int) -> Mark:
    """The mark at this size: the next pieces of the log in turn with those of a small one."""
    others = _facts(SMALL + PIECES * piece)
    _through(small, others, min(SMALL, piece), Clock())
    clock, growth, beside = Clock(), [], 0.0
    for _ in range(PIECES):
        ours, theirs = Clock(), Clock()
        _through(here, facts, piece, ours)
        _through(small, others, piece, theirs)
        clock.add(ours)
        beside += theirs.seconds
        growth.append(ours.seconds / theirs.seconds)
    events = PIECES * piece
    cost = {step: seconds / events * 1e6 for step, seconds in clock.spent.items()}
    return Mark(size, events, cost, beside / events * 1e6, median(growth), resident_MB(), _database_MB(here))


@contextmanager
def _parts(server: EmbeddedPostgres, name: str) -> Iterator[Parts]:
    """The parts of a process on a database of this name."""
    server.make_database(name)
    addresses = server.addresses(name)
    database = Database(addresses.service, addresses.owner)
    home = server.folder.parent / name
    home.mkdir()
    here = made(Settings(data_dir=home), database)
    try:
        here.prepare()
        yield here
    finally:
        here.projector.let_go()
        here.sealer.let_go()
        here.log.close()
        database.dispose()
        server.drop_database(name)


def _facts(count: int) -> Iterator[Any]:
    return fleet(count // PER_LOT + 2, MOTORS_PER_LOT)


def _through(here: Parts, facts: Iterator[Any], count: int, clock: Clock) -> None:
    """This many events through every step, ten thousand at a time."""
    while count > 0:
        count -= _chunk(here, facts, min(CHUNK * 10, count), clock)


def _chunk(here: Parts, facts: Iterator[Any], count: int, clock: Clock) -> int:
    """This many events through every step; how many they were."""
    done = 0
    while done < count:
        events = list(islice(facts, min(CHUNK, count - done)))
        with clock.timing("check"):
            drafts = tuple(receive(event).draft for event in events)
        with clock.timing("append"):
            here.log.append(Append(drafts, atomic=False))
        done += len(events)
    with clock.timing("fold"):
        here.projector.catch_up()
    with clock.timing("seal"):
        here.sealer.seal()
    return done


def resident_MB() -> float:
    """The resident memory of this process (VmRSS)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _database_MB(here: Parts) -> float:
    with here.database.connect() as connection:
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return int(size) / 1024 / 1024
