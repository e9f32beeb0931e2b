"""A bench that publishes to Kafka, an ingress that takes it in, and what both left behind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from kafka.structs import TopicPartition

from services.access.tokens import Tokens
from services.exchange.ingest import Ingest
from services.exchange.quarantine import Quarantine
from services.exchange.waiting import Waiting
from services.store.database import Database
from services.store.log import Log, wall_clock
from services.transports.kafka import topics
from services.transports.kafka.binding import binary, structured
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.ingress import Ingress
from services.transports.kafka.ingress.principals import Principals, trusted_topics
from services.transports.kafka.ingress.reading import PATIENCE
from services.transports.kafka.moving import Patience
from tests.doors.facts import efficiency
from tests.store.facts import straight
from tests.waiting import PATIENCE_S, until


class Bench:
    """Publishes events with its token; `plain` messages are sent as they are."""

    def __init__(self, cluster: Cluster, database: Database, bench: str = "B1", role: str = "bench") -> None:
        self.cluster = cluster
        self.topic = topics.bench_events(cluster).name
        topics.make_or_check(cluster, [topics.bench_events(cluster), topics.bench_rejected(cluster)])
        log = Log(database)
        self.token = Tokens(database, log, wall_clock).issue(role, f"bench {bench}", source_prefix=f"/benches/{bench}")
        log.close()
        self.producer = cluster.producer("bench")

    def close(self) -> None:
        self.producer.close(timeout=2)

    def events(self, number: int) -> list[dict[str, Any]]:
        return [efficiency(f"M-{at}", 90 + at % 500 / 100) for at in range(number)]

    def send(self, *events: dict[str, Any], mode: str = "structured", **where: Any) -> None:
        """Each event with its motor as key; done when the broker has them."""
        proof = ("lodestone-token", self.token.encode())
        for event in events:
            headers, value = binary(event, proof) if mode == "binary" else structured(orjson.dumps(event), proof)
            key = str(event["data"]["motor"]["id"]).encode()
            self.producer.send(where.pop("topic", self.topic), value, key=key, headers=headers, **where)
        self.producer.flush(PATIENCE_S)

    def plain(self, value: bytes | None, *headers: tuple[str, bytes], key: bytes | None = None, **where: Any) -> None:
        topic = where.pop("topic", self.topic)
        self.producer.send(topic, value, key=key, headers=list(headers), **where).get(PATIENCE_S)

    def rejected(self, number: int) -> list[Any]:
        """The first so many records on the topic of rejections."""
        consumer = self.cluster.consumer("looking")
        consumer.assign([TopicPartition(topics.bench_rejected(self.cluster).name, 0)])
        consumer.seek_to_beginning()
        found: list[Any] = []

        def enough() -> bool:
            found.extend(record for records in consumer.poll(timeout_ms=200).values() for record in records)
            return len(found) >= number

        until(enough, lambda: f"{len(found)} rejections came, not {number}")
        consumer.close()
        return found


def ingress_of(
    cluster: Cluster,
    database: Database,
    trusted: str | None = None,
    log: Log | None = None,
    patience: Patience = PATIENCE,
) -> Ingress:
    log = log or Log(database)
    ingest = Ingest(log, Waiting(database), Quarantine(database, wall_clock))
    principals = Principals(Tokens(database, log, wall_clock), trusted_topics(trusted))
    return Ingress(cluster, ingest, principals, f"test {id(log)}", patience)


@contextmanager
def running(ingress: Ingress) -> Iterator[Ingress]:
    """The ingress in a thread, stopped at the end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            ingress.run()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ingress
    finally:
        ingress.stop()
        thread.join(PATIENCE_S)
        ingress.ingest.log.close()
        assert not thread.is_alive()
        assert not failed, failed


def stored_ids(database: Database) -> list[str]:
    """The ids of the results in the log, in order."""
    with straight(database.owner_url) as connection:
        rows = connection.execute("SELECT body FROM log_events WHERE type LIKE 'lodestone.tests.%' ORDER BY position")
        return [orjson.loads(row[0])["id"] for row in rows]


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with straight(database.owner_url) as connection:
        return list(connection.execute(query.encode()))


def outcomes(ingress: Ingress) -> dict[str, int]:
    """Messages by what became of them, those that there were."""
    cells = ingress.figures.tally.figures().get("lodestone_ingress_messages_total", {})
    return {labels[0]: int(number) for labels, number in cells.items() if number}
