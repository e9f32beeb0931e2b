"""Where the time of the ingress goes: what our process computes for an event, and what a bare consumer computes."""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from kafka.structs import TopicPartition

from services.access.tokens import Tokens
from services.exchange.ingest import Ingest
from services.exchange.quarantine import Quarantine
from services.exchange.waiting import Waiting
from services.store.database import Database
from services.store.database.postgres import Addresses
from services.store.log import Log, wall_clock
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.bringing import bring
from services.transports.kafka.ingress.cursors import Place
from services.transports.kafka.ingress.ingress import AT_ONCE
from services.transports.kafka.ingress.messages import checked
from services.transports.kafka.ingress.principals import Principals
from services.wiring import spare_the_collector
from tests.benchmarks._table import Row, row

PARTITIONS = 4


def part_rows(cluster: Cluster, topic: str, addresses: Addresses, wanted: int, bare_us: float) -> dict[str, Row]:
    """Poll, check and append of these messages into a fresh log that knows the bench's token, one after another.

    CPU time of this process alone, so that what else the machine does counts little; `bare_us` is the yardstick's.
    """
    spare_the_collector()
    database = Database(addresses.service, addresses.owner)
    log = Log(database)
    ingest = Ingest(log, Waiting(database), Quarantine(database, wall_clock))
    principals = Principals(Tokens(database, log, wall_clock), {})
    places = {TopicPartition(topic, one): Place(f"parts {one}", None) for one in range(PARTITIONS)}
    times: dict[str, list[float]] = {"poll": [], "check": [], "append": []}
    for polled, records in batches(cluster, topic, wanted):
        times["poll"].append(polled)
        spent, items = timed(lambda: checked(records, principals), len(records))  # noqa: B023 - called at once
        times["check"].append(spent)
        times["append"].append(timed(lambda: bring(ingest, items, places), len(records))[0])  # noqa: B023
    log.close()
    database.dispose()
    told = {
        "poll, which is the client's": median(times["poll"]),
        "check": median(times["check"]),
        "append, without the server": median(times["append"]),
    }
    told["all of it, and of the bare consumer"] = sum(told.values())
    rows = {f"kafka_to_log, of it {name}": row(value, None, "CPU", "us/event") for name, value in told.items()}
    last = rows["kafka_to_log, of it all of it, and of the bare consumer"]
    last |= {"yardstick": bare_us, "ratio": bare_us / last["ours"], "yardstick_name": "CPU of the bare consumer"}
    return rows


def batches(cluster: Cluster, topic: str, wanted: int) -> Iterator[tuple[float, list[Any]]]:
    """The messages as the ingress polls them, each batch with the microseconds of a message."""
    consumer = cluster.consumer("parts", group_id=None, max_poll_records=AT_ONCE)
    consumer.assign([TopicPartition(topic, one) for one in range(PARTITIONS)])
    consumer.seek_to_beginning()
    done = 0
    while done < wanted:
        start = time.process_time()
        records = [record for some in consumer.poll(timeout_ms=1000).values() for record in some]
        spent = time.process_time() - start
        if records:
            done += len(records)
            yield spent / len(records) * 1e6, records
    consumer.close()


def timed(work: Callable[[], Any], events: int) -> tuple[float, Any]:
    """Microseconds of this process for an event, and what came of it."""
    start = time.process_time()
    made = work()
    return (time.process_time() - start) / events * 1e6, made
