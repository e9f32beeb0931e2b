"""How fast the log appends and is read: against raw COPY, raw unnest and the eventsourcing package, on one server."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from typing import Any

import orjson

from events.envelope import draft_of, stored_bytes
from examples.prius.fleet import plant
from examples.simulated.generate import simulate
from services.store.database import Database
from services.store.database.folder import OWNER, SERVICE
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.wiring import spare_the_collector
from tests.benchmarks._parts import part_rows, read_parts
from tests.benchmarks._server import own_server
from tests.benchmarks._table import Row, in_turn, merge, rate, report
from tests.benchmarks._yardsticks import Floor, Yardsticks
from tests.store.facts import straight

Event = dict[str, Any]
ROUNDS = 5
KINDS = ("motor_built", "flux_measured")
"""Half of each: about 600 bytes as they are posted."""
RECORDED = "2026-03-01T08:00:00.000000Z"
READ = 120_000.0
"""Events a second, from pages of 1000 (issue 4)."""


def events() -> Iterator[Event]:
    """Parsed events of a simulated plant, each once, for ever; every one with an id and a stream of its own."""
    kinds = [[one for one in simulate(plant()).events if one["type"].split(".")[2] == kind] for kind in KINDS]
    pattern = [orjson.dumps(one) for pair in zip(*kinds, strict=True) for one in pair]
    for number in count():
        event = orjson.loads(pattern[number % len(pattern)])
        event["id"] = f"{event['id']}-{number:08d}"
        yield event


def stream_of(event: Event) -> str:
    return f"motors/example-motors:{event['id']}"


def append(log: Log, batch: Sequence[Event]) -> None:
    """From parsed events to the commit: encoding, hashing, identities and positions."""
    drafts = tuple([draft_of(event, stream_of(event), versioned=False) for event in batch])
    log.append(Append(drafts, atomic=False))


def timed(batches: Sequence[Any], action: Callable[[Any], object]) -> float:
    """Events a second over these batches, one after another."""
    start = time.perf_counter()
    for batch in batches:
        action(batch)
    return sum(map(len, batches)) / (time.perf_counter() - start)


def batch_rows(log: Log, theirs: Yardsticks, floor: Floor, source: Iterator[Event]) -> dict[str, Row]:
    """Batches of 100 and 1000 by one caller."""
    rows: dict[str, Row] = {}
    for size, batches in ((100, 20), (1000, 8)):

        def fresh(size: int = size, batches: int = batches) -> list[list[Event]]:
            return [list(islice(source, size)) for _ in range(batches)]

        def bodies() -> list[list[bytes]]:
            return [
                [stored_bytes(draft_of(e, stream_of(e), versioned=False), RECORDED, None) for e in b] for b in fresh()
            ]

        found = in_turn(
            {
                "ours": lambda: timed(fresh(), lambda batch: append(log, batch)),
                "floor": lambda: floor.rate(fresh()),
                "encoding": lambda: floor.rate(fresh(), encoding=True),
                "COPY": lambda: timed(theirs.texts(bodies()), theirs.copy),
                "unnest": lambda: timed(bodies(), theirs.unnest),
                "eventsourcing": lambda: timed(theirs.stored_events(bodies()), theirs.record),
            },
            ROUNDS,
        )
        ours = found["ours"]
        copied = "raw text COPY of the same bodies, one plain table"
        rows[f"append_{size}"] = rate(ours, found["COPY"], copied)
        for name, what in (("floor", "rows ready"), ("encoding", "sorted JSON and hashes made, the rest ready")):
            rows[f"append_{size}, the most that is possible: {what}, same indexes"] = rate(
                found[name], found["COPY"], copied
            )
        rows[f"append_{size}_unnest"] = rate(ours, found["unnest"], "raw binary unnest, one plain table")
        rows[f"append_{size}_eventsourcing"] = rate(ours, found["eventsourcing"], "eventsourcing 9.5, insert_events")
    return rows


def by_threads(threads: int, each: Sequence[Sequence[Any]], action: Callable[[Any], object]) -> float:
    """Events a second when every thread hands over one event at a time."""
    ready = threading.Barrier(threads + 1)

    def work(mine: Sequence[Any]) -> None:
        ready.wait()
        for one in mine:
            action(one)

    workers = [threading.Thread(target=work, args=(mine,)) for mine in each]
    for worker in workers:
        worker.start()
    ready.wait()
    start = time.perf_counter()
    for worker in workers:
        worker.join()
    return sum(map(len, each)) / (time.perf_counter() - start)


def single_rows(log: Log, theirs: Yardsticks, source: Iterator[Event]) -> dict[str, Row]:
    """One event each by 16 and 64 threads, where a flush of the disk takes 1 ms."""

    def fresh(threads: int, each: int) -> list[list[Event]]:
        return [list(islice(source, each)) for _ in range(threads)]

    def ours(threads: int, each: int) -> float:
        return by_threads(threads, fresh(threads, each), lambda event: append(log, [event]))

    def recorder(threads: int, each: int) -> float:
        bodies = [[orjson.dumps(event) for event in mine] for mine in fresh(threads, each)]
        return by_threads(threads, theirs.stored_events(bodies), lambda event: theirs.record([event]))

    told = "eventsourcing 9.5, insert_events, 1 ms flush"
    few = in_turn({"ours": lambda: ours(16, 100), "theirs": lambda: recorder(16, 15)}, 3)
    many = in_turn({"ours": lambda: ours(64, 60), "theirs": lambda: recorder(64, 5)}, 3)
    return {
        "singles_16": rate(few["ours"], few["theirs"], told),
        "singles_64": rate(many["ours"], many["theirs"], told),
    }


def read_rows(log: Log) -> dict[str, Row]:
    """Pages of 1000, decoded, from the start of the log to its end."""

    def whole(after: int, limit: int) -> list[Any]:
        return [event.data for event in log.read(after, limit)]

    def through(read: Callable[[int, int], Sequence[Any]]) -> float:
        at, start = 0, time.perf_counter()
        while page := read(at, 1000):
            at += len(page)
        return at / (time.perf_counter() - start)

    reads = {"whole": whole, "read": log.read, "bytes": log.read_bytes}
    found = in_turn({name: partial(through, read) for name, read in reads.items()}, ROUNDS)
    return {
        "read_page": rate(found["whole"], READ, "target"),
        "read_page_envelopes, data left as text": rate(found["read"], None, "-"),
        "read_page_bytes": rate(found["bytes"], None, "-"),
        **read_parts([body for _, body in log.read_bytes(0, 1000)]),
    }


@contextmanager
def slow_flush(server: EmbeddedPostgres) -> Iterator[None]:
    """New sessions wait 1 ms in every commit, as for a disk that takes so long."""
    with straight(server.addresses("postgres").admin) as admin:
        for role in (SERVICE, OWNER):
            admin.execute(f"ALTER ROLE {role} SET commit_delay = 1000")
            admin.execute(f"ALTER ROLE {role} SET commit_siblings = 0")
        yield
        for role in (SERVICE, OWNER):
            admin.execute(f"ALTER ROLE {role} RESET ALL")


def measured(server: EmbeddedPostgres) -> dict[str, Row]:
    """All rows, on this server."""
    addresses = server.addresses("lodestone")
    database = Database(addresses.service, addresses.owner)
    database.migrate()
    source = events()
    log, theirs, floor = Log(database), Yardsticks(addresses.owner), Floor(addresses.owner)
    rows = batch_rows(log, theirs, floor, source) | part_rows(database, list(islice(source, 1000)))
    for one in (log, theirs, floor):
        one.close()
    with slow_flush(server):
        log, theirs = Log(database), Yardsticks(addresses.owner, threads=64)
        rows |= single_rows(log, theirs, source)
        log.close()
        theirs.close()
    rows |= read_rows(log)
    database.dispose()
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
