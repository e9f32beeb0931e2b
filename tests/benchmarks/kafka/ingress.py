"""How fast events come from Kafka into the log, durably: against a bare consumer with COPY, on the same servers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from examples.prius.fleet import plant
from examples.simulated.generate import simulate
from services.access.tokens import Tokens
from services.stack.kafka import KafkaBroker
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log, wall_clock
from services.transports.kafka import topics
from services.transports.kafka.binding import structured
from services.transports.kafka.connecting import Cluster
from tests.benchmarks._server import own_server
from tests.benchmarks._table import Row, in_turn, merge, rate, report
from tests.benchmarks.kafka._parts import part_rows
from tests.processes import environment
from tests.store.facts import straight

MESSAGES = 40_000
ROUNDS = 5
ASKED = 15_000.0
"""Events a second (issue 6)."""
TEMPLATE = "ingress_template"
KINDS = ("flux_measured", "efficiency_measured")
_numbers = count(1)


def events() -> Iterator[dict[str, Any]]:
    """Results of a simulated plant, each with an id of its own, for ever."""
    pattern = [orjson.dumps(one) for one in simulate(plant()).events if one["type"].split(".")[2] in KINDS]
    for number in count():
        event = orjson.loads(pattern[number % len(pattern)])
        event["id"] = f"{event['id']}-{number:08d}"
        yield event


def publish(cluster: Cluster, token: str) -> str:
    """So many events on the topic; its name."""
    topic = topics.bench_events(cluster)
    topics.make_or_check(cluster, [topic])
    producer = cluster.producer("bench")
    for event in islice(events(), MESSAGES):
        headers, value = structured(orjson.dumps(event), ("lodestone-token", token.encode()))
        producer.send(topic.name, value, key=str(event["data"]["motor"]["id"]).encode(), headers=headers)
    producer.flush(60)
    producer.close()
    return topic.name


def template(server: EmbeddedPostgres) -> str:
    """A migrated database that knows the bench's token; the token."""
    server.make_database(TEMPLATE)
    made = Database(server.addresses(TEMPLATE).service, server.addresses(TEMPLATE).owner, pool_size=1)
    made.migrate()
    log = Log(made)
    token = Tokens(made, log, wall_clock).issue("bench", "bench")
    log.close()
    made.dispose()
    return token


@contextmanager
def workers(cluster: Cluster, url: str, number: int, folder: Path) -> Iterator[None]:
    """So many processes that do nothing but take in."""
    told = environment(folder, cluster, database_url=url)
    command = [sys.executable, "-m", "services.cli", "worker", "--ingress", "--no-fold"]
    running = [subprocess.Popen(command, env=told, stderr=subprocess.DEVNULL) for _ in range(number)]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def ours(server: EmbeddedPostgres, cluster: Cluster, number: int, folder: Path) -> float:
    """Events a second between the first commit and the last, into a fresh log."""
    name = f"ingress_{next(_numbers)}"
    server.make_database(name, template=TEMPLATE)
    addresses = server.addresses(name)
    query = (
        "SELECT count(*), count(*) FILTER (WHERE recorded_at = first), extract(epoch FROM max(recorded_at) - first) "
        "FROM log_events, (SELECT min(recorded_at) AS first FROM log_events WHERE position > 1) AS begun "
        "WHERE position > 1 GROUP BY first"
    )
    with workers(cluster, addresses.service, number, folder), straight(addresses.owner) as connection:
        deadline = time.monotonic() + 120
        while True:
            head = connection.execute("SELECT coalesce(max(position), 0) FROM log_events").fetchone()
            if head is not None and head[0] > MESSAGES:
                break
            assert time.monotonic() < deadline, "the events did not come"
            time.sleep(0.05)
        row = connection.execute(query).fetchone()
    server.drop_database(name)
    assert row is not None and row[0] == MESSAGES
    return float((row[0] - row[1]) / row[2])


def bare(cluster: Cluster, topic: str, url: str, spent: list[float]) -> float:
    """The same of the yardstick; its CPU microseconds for an event are added to `spent`."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.kafka._consuming",
        cluster.servers,
        topic,
        url,
        str(MESSAGES),
    ]
    told, cpu = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    spent.append(cpu)
    return told


def measured(server: EmbeddedPostgres, cluster: Cluster, folder: Path) -> dict[str, Row]:
    """All rows."""
    topic = publish(cluster, template(server))
    server.make_database("plain")
    url = server.addresses("plain").owner
    spent: list[float] = []
    found = in_turn(
        {
            "one": lambda: ours(server, cluster, 1, folder),
            "bare": lambda: bare(cluster, topic, url, spent),
            "two": lambda: ours(server, cluster, 2, folder),
        },
        ROUNDS,
    )
    server.make_database("parts", template=TEMPLATE)
    parts = part_rows(cluster, topic, server.addresses("parts"), MESSAGES, median(spent))
    told = "bare kafka-python consumer with text COPY, one plain table"
    return {
        "kafka_to_log": rate(found["one"], found["bare"], told),
        "kafka_to_log_two_processes": rate(found["two"], found["bare"], told),
        "kafka_to_log_asked": rate(found["one"], ASKED, "target"),
        **parts,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge."""
    with own_server() as server, TemporaryDirectory(prefix="lodestone-ingress-") as folder:
        broker = KafkaBroker(Path(folder) / "kafka")
        broker.open()
        try:
            rows = measured(server, Cluster(broker.address, "bench"), Path(folder))
        finally:
            broker.close()
    print(report(rows))
    merge(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
