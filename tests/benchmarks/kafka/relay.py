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


def ours(database: Database, log: Log, servers: str, head: int) -> float:
    """Events a second from the first page that is read to the last commit; topics are made before."""
    relay = Relay(database, log, Cluster(servers, prefix=next(_prefixes)), "bench")
    thread = threading.Thread(target=relay.run)
    thread.start()
    while relay.progress is None:
        time.sleep(0.001)
    start = time.perf_counter()
    while relay.progress.position < head:
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    relay.stop()
    thread.join()
    return head / seconds


def bare(database: Database, servers: str, head: int) -> float:
    """Events a second of a producer with the same settings and keys, without transaction, headers and numbers."""
    cluster = Cluster(servers, prefix=next(_prefixes))
    topic = whole_log(cluster)
    make_or_check(cluster, [topic])
    producer = cluster.producer("bare")
    producer.partitions_for(topic.name)
    query = "SELECT position, stream, body FROM log_events WHERE position > %s ORDER BY position LIMIT %s"
    with straight(database.owner_url) as connection:
        start, after = time.perf_counter(), 0
        while after < head:
            rows = connection.execute(query, (after, PAGE), binary=True).fetchall()
            for _, stream, body in rows:
                producer.send(topic.name, body, stream.partition("/")[2].encode())
            after = rows[-1][0]
        producer.flush()
        seconds = time.perf_counter() - start
    producer.close()
    return head / seconds


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
        head = fill(log)
        contestants = {
            "ours": lambda: ours(database, log, servers, head),
            "bare": lambda: bare(database, servers, head),
        }
        times = in_turn(contestants, ROUNDS)
        folder = server.folder.parent / "relays"
        folder.mkdir()
        took = takeovers(database, log, servers, folder)
        log.close()
        database.dispose()
    rows: dict[str, Row] = {
        "relay": rate(times["ours"], times["bare"], "bare kafka-python producer, same rows, keys, acks and batches"),
        "relay_takeover": row(median(took), TAKEOVER_S, f"allowed; lease {LEASE_S:g} s; longest {max(took):.1f} s"),
    }
    print(report(rows))
    merge(rows)
    return 0 if rows["relay"]["ratio"] >= SHARE and max(took) < TAKEOVER_S else 1


if __name__ == "__main__":
    sys.exit(main())
