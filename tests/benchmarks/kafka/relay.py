"""How fast the log is published to Kafka, against a bare producer of the same rows; and how soon a relay takes over."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from events.receive import receive
from services.stack.kafka import KafkaBroker
from services.store.database import Database
from services.store.log import Append, Log
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import newest
from services.transports.kafka.relay.records import CLOUDEVENT, EPOCH, POSITION, SEQUENCE, Headers
from services.transports.kafka.relay.relaying import LEASE_S, PAGE, Relay
from services.transports.kafka.topics import make_or_check, whole_log
from services.wiring import spare_the_collector
from tests.benchmarks._server import own_server
from tests.benchmarks._table import Row, in_turn, merge, rate, report, row
from tests.benchmarks.fleet import fleet
from tests.store.facts import draft, straight
from tests.transports.relay.processes import Relays

LOTS, MOTORS = 400, 25
ROUNDS = 5
KILLS = 5
SHARE, TAKEOVER_S = 0.7, 10.0
T = TypeVar("T")
_prefixes = (f"bench{number}" for number in count(1))


def fill(log: Log) -> int:
    """Lots with their motors and results, four events for each motor; the head then."""
    drafts = [receive(event).draft for event in fleet(LOTS, MOTORS)]
    for start in range(0, len(drafts), 1000):
        log.append(Append(tuple(drafts[start : start + 1000])))
    return log.head()


@contextmanager
def broker() -> Iterator[str]:
    """A broker of the benchmark's own; its address."""
    with TemporaryDirectory(prefix="lodestone-bench-") as folder:
        made = KafkaBroker(Path(folder) / "kafka")
        made.open()
        try:
            yield made.address
        finally:
            made.close()


def ours(database: Database, log: Log, servers: str, head: int, spent: list[float]) -> float:
    """Events a second from the first page that is read to the last commit; topics are made before.

    The CPU microseconds of this process for an event are added to `spent`.
    """
    relay = Relay(database, log, Cluster(servers, prefix=next(_prefixes)), "bench")
    thread = threading.Thread(target=relay.run)
    thread.start()
    while relay.progress is None:
        time.sleep(0.001)
    with _clock(head, spent) as found:
        while relay.progress.position < head:
            time.sleep(0.005)
    relay.stop()
    thread.join()
    return found[0]


def bare(database: Database, servers: str, head: int, spent: list[float], *, headers: bool = False) -> float:
    """The same of a producer with the same settings and keys, without transaction and numbers.

    With `headers` each record has four, of the size of ours.
    """
    cluster = Cluster(servers, prefix=next(_prefixes))
    topic = whole_log(cluster)
    make_or_check(cluster, [topic])
    producer = cluster.producer("bare")
    producer.partitions_for(topic.name)
    query = "SELECT position, stream, body FROM log_events WHERE position > %s ORDER BY position LIMIT %s"
    with straight(database.owner_url) as connection, _clock(head, spent) as found:
        after = 0
        while after < head:
            rows = connection.execute(query, (after, PAGE), binary=True).fetchall()
            for position, stream, body in rows:
                key = stream.partition("/")[2].encode()
                producer.send(topic.name, body, key, _headers(position) if headers else None)
            after = rows[-1][0]
        producer.flush()
    producer.close()
    return found[0]


def _headers(position: int) -> Headers:
    number = b"%d" % position
    return [CLOUDEVENT, (POSITION, number), (SEQUENCE, number), (EPOCH, b"0")]


@contextmanager
def _clock(events: int, spent: list[float]) -> Iterator[list[float]]:
    """A list that holds the events a second once the block is done."""
    found: list[float] = []
    start, cpu = time.perf_counter(), time.process_time()
    yield found
    found.append(events / (time.perf_counter() - start))
    spent.append((time.process_time() - cpu) / events * 1e6)


def takeovers(database: Database, log: Log, servers: str, folder: Path) -> list[float]:
    """Seconds from kill -9 of the relay that publishes to the other one's first commit."""
    kafka = Cluster(servers, prefix=next(_prefixes))
    found = []
    with Relays(database, kafka, folder) as relays:
        relays.start()
        for _ in range(KILLS):
            active = _waited(relays.active)
            second = relays.start()
            _waited(partial(_stands_by, relays, second))
            _waited(lambda: _position(kafka) == log.head())
            process = relays.running.pop(active)
            process.kill()
            start = time.perf_counter()
            log.append(Append((draft(),)))
            _waited(lambda: _position(kafka) == log.head())
            found.append(time.perf_counter() - start)
            process.wait()
    return found


def _stands_by(relays: Relays, name: str) -> bool:
    said = relays.states().get(name)
    return said is not None and said["state"] == "standby"


def _position(kafka: Cluster) -> int:
    known = newest(kafka)
    return 0 if known is None else known.position


def _waited(look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def compared(database: Database, log: Log, servers: str) -> dict[str, Row]:
    """Ours beside the bare producer, and beside one whose records have as many headers as ours."""
    head = fill(log)
    cpu: dict[str, list[float]] = {name: [] for name in ("ours", "bare", "headers")}
    contestants = {
        "ours": lambda: ours(database, log, servers, head, cpu["ours"]),
        "bare": lambda: bare(database, servers, head, cpu["bare"]),
        "headers": lambda: bare(database, servers, head, cpu["headers"], headers=True),
    }
    times = in_turn(contestants, ROUNDS)
    told = "bare kafka-python producer, same rows, keys, acks and batches"
    spent = {name: median(found) for name, found in cpu.items()}
    return {
        "relay": rate(times["ours"], times["bare"], told),
        "relay, the yardstick with four headers too": rate(times["ours"], times["headers"], f"{told}, four headers"),
        "relay, CPU": row(spent["ours"], spent["bare"], "the bare producer's", "us/event"),
        "relay, CPU, the yardstick with four headers too": row(
            spent["ours"], spent["headers"], "the bare producer's, four headers", "us/event"
        ),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge; exit code 1 when a target is missed."""
    del arguments
    spare_the_collector()
    with own_server() as server, broker() as servers:
        server.make_database("relay")
        addresses = server.addresses("relay")
        database = Database(addresses.service, addresses.owner)
        database.migrate()
        log = Log(database)
        rows = compared(database, log, servers)
        folder = server.folder.parent / "relays"
        folder.mkdir()
        took = takeovers(database, log, servers, folder)
        log.close()
        database.dispose()
    told = f"allowed; lease {LEASE_S:g} s; longest {max(took):.1f} s"
    rows["relay_takeover"] = row(median(took), TAKEOVER_S, told)
    print(report(rows))
    merge(rows)
    return 0 if rows["relay"]["ratio"] >= SHARE and max(took) < TAKEOVER_S else 1


if __name__ == "__main__":
    sys.exit(main())
