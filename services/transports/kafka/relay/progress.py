"""How far the relay is: the record that is committed together with what it published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from kafka import TopicPartition

from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.reading import last_record
from services.transports.kafka.relay.records import POSITION, SEQUENCE, Record

KEY = b"relay"


@dataclass(frozen=True, slots=True)
class Share:
    """One partition of `log.v1`: the number of its last record, and the offset after it."""

    sequence: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to which position of which log, in which epoch, everything is published; `shares` by partition.

    `leaf` is the leaf hash (hex) of the event at the position: a log that has another one there was restored. None
    where nothing was published, and for what an older release wrote.
    """

    log_id: str
    epoch: int
    position: int
    shares: tuple[Share, ...]
    leaf: str | None = None

    def record(self, topic: str) -> Record:
        """The record that says so."""
        shares = {str(p): {"sequence": one.sequence, "end": one.end} for p, one in enumerate(self.shares)}
        said = {"log_id": self.log_id, "epoch": self.epoch, "position": self.position, "partitions": shares}
        said |= {"leaf": self.leaf} if self.leaf is not None else {}
        return Record(topic, KEY, orjson.dumps(said), [("content-type", b"application/json")], 0)


def read(said: Mapping[str, Any]) -> Progress:
    """The progress as its record says it."""
    shares = said["partitions"]
    return Progress(
        str(said["log_id"]),
        int(said["epoch"]),
        int(said["position"]),
        tuple(Share(shares[str(p)]["sequence"], shares[str(p)]["end"]) for p in range(len(shares))),
        said.get("leaf"),
    )


def newest(cluster: Cluster) -> Progress | None:
    """The last committed progress, or None. Call it after `init_transactions`. Raises Unavailable, Forbidden."""
    consumer = cluster.consumer("relay-progress", group_id=None)
    try:
        with cluster.reaching():
            last = last_record(consumer, TopicPartition(topics.relay_progress(cluster).name, 0))
    finally:
        consumer.close()
    return None if last is None or last.value is None else read(orjson.loads(last.value))


@dataclass(frozen=True, slots=True)
class Found:
    """A partition of `log.v1` as it is: the end of what is committed, and what its last record says of itself."""

    end: int
    sequence: int
    position: int


def ends(cluster: Cluster, partitions: int, *, tails: bool = False) -> tuple[Found, ...]:
    """How each partition of `log.v1` ends; with `tails` also what its last record is."""
    name = topics.whole_log(cluster).name
    consumer = cluster.consumer("relay-ends", group_id=None)
    try:
        with cluster.reaching():
            asked = [TopicPartition(name, partition) for partition in range(partitions)]
            found = consumer.end_offsets(asked)
            lasts = [last_record(consumer, one) if tails and found[one] else None for one in asked]
    finally:
        consumer.close()
    return tuple(
        Found(found[one], _number(last, SEQUENCE), _number(last, POSITION))
        for one, last in zip(asked, lasts, strict=True)
    )


def _number(last: Any, header: str) -> int:
    return 0 if last is None else int(dict(last.headers).get(header, b"0"))
