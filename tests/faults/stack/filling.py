"""`python -m tests.faults disk`: the database's disk and the broker's run full under load, and get room again."""

import time
from collections.abc import Callable
from itertools import count

import httpx
from kafka.errors import KafkaError

from events.errors import Unavailable
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from tests.doors.facts import efficiency
from tests.doors.service import STRUCTURED
from tests.faults.stack.faulting import Faults
from tests.faults.stack.plant import Plant

MEGABYTES = {"postgres": 200, "wal": 250, "kafka": 200}
FULL_S = 6.0
"""How long a disk stays full after it was noticed."""
NOTICED_S = 120.0
_numbers = count()


def small_disks(plant: Plant) -> None:
    """Give both engines a small disk; before `start`."""
    for engine, megabytes in MEGABYTES.items():
        plant.small(engine, megabytes)


def fill_disks(faults: Faults, say: Callable[[str], None]) -> None:
    """One after the other: full, until it is felt and a while longer, then empty. Raises AssertionError."""
    plant = faults.plant
    time.sleep(1.0)

    def full(disk: str, name: str, felt: Callable[[], str | None], part: str) -> None:
        plant.disks[disk].fill()
        say(f"{name} is full, and who writes is told: {_soon(felt)}")
        if part == "broker":
            assert posted(faults).status_code == 201, "without Kafka the doors take events"
        time.sleep(FULL_S)
        plant.disks[disk].free()
        began = time.monotonic()
        plant.postgres.revive()
        plant.broker.revive()
        faults.works_again(part)
        faults.outcome.takeovers_s[name].append(time.monotonic() - began)
        faults.outcome.troubles[name] += 1

    full("postgres", "the disk of the database", lambda: _refused(faults, "disk is full"), "database")
    full("wal", "the disk of the write-ahead log", lambda: _refused(faults, "does not answer"), "database")
    full("kafka", "the disk of the broker", lambda: _unacknowledged(plant), "broker")


def _soon(asked: Callable[[], str | None]) -> str:
    deadline = time.monotonic() + NOTICED_S
    while time.monotonic() < deadline:
        if words := asked():
            return words
        time.sleep(0.2)
    raise AssertionError("a full disk was not noticed")


def posted(faults: Faults) -> httpx.Response:
    """The answer to one more event."""
    event = efficiency("disk-0", 93.0, id=f"disk-{next(_numbers)}")
    headers = {**faults.headers, "Content-Type": STRUCTURED}
    return httpx.post(f"{faults.door()}/v1/events", json=event, headers=headers, timeout=30)


def _refused(faults: Faults, words: str) -> str | None:
    """What a bench is told, once it is this: a full disk is named; a server that went down on it is away."""
    answer = posted(faults)
    assert answer.status_code in (200, 201, 503), answer.text
    detail = str(answer.json().get("detail", ""))
    return detail if answer.status_code == 503 and words in detail else None


def _unacknowledged(plant: Plant) -> str | None:
    """What becomes of a message, once the broker takes none."""
    cluster = Cluster(plant.kafka, reach_s=2.0)
    try:
        producer = cluster.producer("probe", delivery_timeout_ms=4_000, request_timeout_ms=2_000, max_block_ms=2_000)
    except Unavailable as error:
        return error.detail
    try:
        producer.send(topics.bench_events(cluster).name, b"probe" * 10_000).get(timeout=5)
    except KafkaError as error:
        return str(error) or type(error).__name__
    finally:
        producer.close(timeout=0)
    return None
