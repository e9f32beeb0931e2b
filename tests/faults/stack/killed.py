"""`python -m tests.faults stack`: a whole plant under load and faults, then everything that must hold is checked."""

import os
import random
import time
from collections.abc import Callable, Sequence

import httpx

from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from tests.faults.load import Bench, benches
from tests.faults.stack.arriving import not_published
from tests.faults.stack.checking import check
from tests.faults.stack.faulting import Faults, Outcome, joined
from tests.faults.stack.plant import PARTITIONS, Plant
from tests.faults.stack.publishing import Publisher, publishers
from tests.waiting import until

READY_S = 240.0
Say = Callable[[str], None]


def under_load(plant: Plant, seed: int, harm: Callable[[Faults], None], say: Say, threads: int = 2) -> Outcome:
    """Start it, load it by HTTP and by Kafka, do it harm, bring all to its end, and check it. Raises AssertionError."""
    plant.start()
    token = plant.command("token", "create", "--role", "admin", "--name", f"load-{os.getpid()}").strip()
    cluster = Cluster(plant.kafka, partitions=PARTITIONS)
    topics.make_or_check(cluster, [topics.bench_events(cluster)])
    _ready(plant)
    doors = iter([*plant.ports, *(list(plant.ports) * threads)])
    by_http = benches(lambda: plant.client(next(doors), token), threads, seed)
    by_kafka = publishers(lambda: cluster, token, threads, seed)
    for thread in (*by_http, *by_kafka):
        thread.start()
    faults = Faults(plant, token, random.Random(seed))
    harm(faults)
    _end(plant, by_http, by_kafka)
    say("every bench has its answers; waiting until everything is in, folded and published")
    faults.settled()
    codes = _ended(plant, cluster)
    assert set(codes.values()) == {0}, f"{codes}\n{plant.trouble()}"
    faults.outcome.counts = check(plant, cluster, by_http, by_kafka)
    return faults.outcome


def fault_the_stack(plant: Plant, kills: int, seed: int, say: Say) -> Outcome:
    """So many kills, and other troubles in between. Raises AssertionError."""
    return under_load(plant, seed, lambda faults: faults.run(kills, say), say)


def _ended(plant: Plant, cluster: Cluster) -> dict[str, int]:
    """The exit codes of all processes; what the others still said as they ended is published before relays end."""
    codes = {}
    for name, process in plant.processes.items():
        if process.kind == "relay":
            until(lambda: not_published(cluster, plant.addresses.service) == 0, plant.trouble)
        codes[name] = process.end()
    return codes


def _end(plant: Plant, by_http: Sequence[Bench], by_kafka: Sequence[Publisher]) -> None:
    for bench in by_http:
        bench.ending.set()
    for publisher in by_kafka:
        publisher.ending.set()
    joined([*by_http, *by_kafka], plant)


def _ready(plant: Plant) -> None:
    """Until both doors answer. Raises AssertionError."""
    deadline = time.monotonic() + READY_S
    waiting = set(plant.ports.values())
    while waiting:
        assert time.monotonic() < deadline, plant.trouble()
        for port in list(waiting):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code == 200:
                    waiting.remove(port)
            except httpx.HTTPError:
                pass
        time.sleep(0.1)
