"""Benches that publish to Kafka: each event at least once, some twice, some late, and rubbish in between."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError

from events.errors import DomainError
from services.transports.kafka import topics
from services.transports.kafka.binding import binary, structured
from services.transports.kafka.connecting import Cluster
from tests.doors.facts import built, efficiency

RUBBISH = (b"", b"{", b"\xff\xfe", b'{"specversion": "1.0"}', b"[]")
LOTS = 5
Event = dict[str, Any]


class Publisher(threading.Thread):
    """One bench on Kafka; `offered` is what it sent, `acknowledged` what the broker confirmed."""

    def __init__(self, name: str, cluster: Cluster, token: str, chance: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.cluster = cluster
        self.proof = ("lodestone-token", token.encode())
        self.chance = chance
        self.offered: set[str] = set()
        self.acknowledged: set[str] = set()
        self.rubbish = 0
        self.ending = threading.Event()
        self._numbers = 0
        self._producer: KafkaProducer | None = None

    def run(self) -> None:
        """Publish until told to end; what was begun is brought to its end."""
        while not self.ending.is_set():
            events = self._events(self.chance.randint(1, 30))
            self._until_acknowledged(events)
            time.sleep(self.chance.uniform(0.0, 0.5))
        if self._producer is not None:
            self._producer.close(timeout=5)

    def _events(self, count: int) -> list[Event]:
        """Some new facts; now and then one twice, and not in the order in which they were made."""
        made: list[Event] = []
        for _ in range(count):
            number, self._numbers = self._numbers, self._numbers + 1
            motor, id = f"{self.name}-{number // 3}", f"{self.name}-{number}"
            if number % 3 == 1:
                made.append({**built(motor, f"L{self.chance.randrange(LOTS)}"), "id": id})
            else:
                made.append(efficiency(motor, round(self.chance.uniform(90, 95), 3), id=id))
        self.offered |= {event["id"] for event in made}
        again = [event for event in made if self.chance.random() < 0.1]
        made += again
        self.chance.shuffle(made)
        return made

    def _until_acknowledged(self, events: list[Event]) -> None:
        """Send the same events until the broker has every one; a try that failed may have arrived all the same."""
        left = events
        while left:
            left = self._tried(left)
            if left:
                time.sleep(0.2)

    def _tried(self, events: list[Event]) -> list[Event]:
        try:
            if self._producer is None:
                self._producer = self.cluster.producer(
                    "publisher", delivery_timeout_ms=10_000, request_timeout_ms=4_000
                )
            sent = [(event, self._send(self._producer, event)) for event in events]
            self._some_rubbish(self._producer)
            self._producer.flush(15)
        except (KafkaError, DomainError, AssertionError):
            self._let_go()
            return events
        left = []
        for event, future in sent:
            if future.is_done and future.succeeded():
                self.acknowledged.add(event["id"])
            else:
                left.append(event)
        if left:
            self._let_go()
        return left

    def _send(self, producer: KafkaProducer, event: Event) -> Any:
        if self.chance.random() < 0.5:
            headers, value = binary(event, self.proof)
        else:
            headers, value = structured(orjson.dumps(event), self.proof)
        key = str(event["data"]["motor"]["id"]).encode()
        return producer.send(topics.bench_events(self.cluster).name, value, key=key, headers=headers)

    def _some_rubbish(self, producer: KafkaProducer) -> None:
        if self.chance.random() < 0.2:
            headers = [self.proof] if self.chance.random() < 0.5 else []
            producer.send(topics.bench_events(self.cluster).name, self.chance.choice(RUBBISH), headers=headers)
            self.rubbish += 1

    def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, AssertionError):
                producer.close(timeout=0.5)
            with suppress(KafkaError, AssertionError):
                producer.close(timeout=0)  # else the interpreter closes it once more, and complains aloud


def publishers(cluster: Callable[[], Cluster], token: str, count: int, seed: int) -> list[Publisher]:
    """This many."""
    return [Publisher(f"k{number}", cluster(), token, random.Random(seed * 7 + number)) for number in range(count)]
