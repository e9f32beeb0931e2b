"""The worked example's facts published to Kafka, as benches would: each event by itself, with its owner's token."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from services.transports.kafka.binding import structured
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.principals import TOKEN
from services.transports.kafka.topics import bench_events, make_or_check

PATIENCE_S = 30.0


@contextmanager
def publisher(cluster: Cluster) -> Iterator[Callable[[str, list[dict[str, Any]]], None]]:
    """What publishes events with a token to the topic of bench events. Raises Unavailable, Forbidden, Refused."""
    topic = bench_events(cluster)
    make_or_check(cluster, [topic])
    producer = cluster.producer("demo")

    def publish(token: str, events: list[dict[str, Any]]) -> None:
        with cluster.reaching():
            sent = []
            for event in events:
                headers, value = structured(orjson.dumps(event), (TOKEN, token.encode()))
                sent.append(producer.send(topic.name, value, key=_key(event), headers=headers))
            producer.flush(PATIENCE_S)
            for one in sent:
                one.get(PATIENCE_S)

    try:
        yield publish
    finally:
        producer.close()


def _key(event: dict[str, Any]) -> bytes:
    """One motor's events stay in order, as do those of one source about anything else."""
    motor = event["data"].get("motor")
    return str(motor["id"] if motor else event["source"]).encode()
