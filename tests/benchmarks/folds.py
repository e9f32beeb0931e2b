"""How fast the projections fold a log: the correlation alone and all of them, against the eventsourcing runner."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from events.receive import receive
from projections.folds import all_projections
from projections.folds.correlation import CORRELATION
from projections.folds.fold import Projection
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.store.projecting.projector import Projector
from services.wiring import spare_the_collector
from tests.benchmarks._server import own_server
from tests.benchmarks._table import Row, merge, rate, report
from tests.benchmarks.fleet import fleet
from tests.benchmarks.folding._least import LEAST
from tests.benchmarks.folding._parts import part_rows
from tests.benchmarks.folding._runner import runner_rate
from tests.store.facts import straight

LOTS, MOTORS = 1000, 25
ROUNDS = 3
TARGETS = {"fold_correlation": 50_000.0, "fold_all": 25_000.0}
"""Events a second (issue 4)."""
FULL = "filled"
_numbers = count(1)


def fill(log: Log) -> int:
    """A thousand lots, four events for each of their motors, one motor in ten with two lots; the head then."""
    batch: list[Any] = []
    for event in fleet(LOTS, MOTORS):
        batch.append(receive(event).draft)
        if len(batch) == 1000:
            log.append(Append(tuple(batch)))
            batch = []
    log.append(Append(tuple(batch)))
    return log.head()


@contextmanager
def copied(server: EmbeddedPostgres) -> Iterator[Database]:
    """A database with the filled log and nothing folded."""
    name = f"folds_{next(_numbers)}"
    server.make_database(name, template=FULL)
    addresses = server.addresses(name)
    with straight(addresses.admin) as admin:
        admin.execute("CHECKPOINT")  # so that what the copy left to write is not counted
    database = Database(addresses.service, addresses.owner)
    yield database
    database.dispose()
    server.drop_database(name)


def folded(server: EmbeddedPostgres, projections: Sequence[Projection]) -> float:
    """Events a second from stored bytes to the committed checkpoint, in this process."""
    with copied(server) as database:
        log = Log(database)
        projector = Projector(database, log, projections, "bench")
        projector.prepare()
        start = time.perf_counter()
        done = projector.catch_up()
        seconds = time.perf_counter() - start
        assert done == log.head() and not projector.parked()
        return done / seconds


def runner(server: EmbeddedPostgres, bodies: list[str]) -> float:
    """Events a second of the other package's runner."""
    name = f"runner_{next(_numbers)}"
    server.make_database(name)
    found = runner_rate(server.addresses(name).owner, bodies)
    server.drop_database(name)
    return found


def measured(server: EmbeddedPostgres) -> dict[str, Row]:
    """All rows, on this server; rounds in turn."""
    server.make_database(FULL)
    addresses = server.addresses(FULL)
    database = Database(addresses.service, addresses.owner)
    database.migrate()
    log = Log(database)
    fill(log)
    with straight(addresses.admin) as admin:
        admin.execute("VACUUM ANALYZE")  # as the server does by itself a minute after an import
    bodies = [body.decode() for _, body in log.read_bytes(10_000, 3000)]
    log.close()
    database.dispose()
    spent: dict[str, list[float]] = {"fold_correlation": [], "fold_all": [], "runner": []}
    least: dict[str, list[float]] = {name: [] for name in LEAST}
    for _ in range(ROUNDS):
        for name, projections in LEAST.items():
            least[name].append(folded(server, projections))
        spent["fold_correlation"].append(folded(server, (CORRELATION,)))
        spent["fold_all"].append(folded(server, all_projections()))
        spent["runner"].append(runner(server, bodies))
    rows = {}
    for name, target in TARGETS.items():
        rows[name] = rate(spent[name], spent["runner"], "eventsourcing 9.5, ProjectionRunner, a trivial projection")
        rows[f"{name}_target"] = rate(spent[name], target, "target")
        rows[f"{name}, the most for facts that can be taken back: kept, nothing follows"] = rate(
            least[name], target, "target"
        )
    for name, projections in (("fold_correlation", (CORRELATION,)), ("fold_all", all_projections())):
        with copied(server) as database:
            rows |= part_rows(database, name, projections, TARGETS[name])
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge."""
    spare_the_collector()  # as every process of the service does
    with own_server() as server:
        rows = measured(server)
    print(report(rows))
    merge(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
