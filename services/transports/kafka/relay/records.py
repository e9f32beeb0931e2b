"""The records that an event becomes: its stored bytes as they are, and what a reader needs beside them as headers."""

from functools import lru_cache
from typing import NamedTuple

from kafka.partitioner.default import murmur2

POSITION, SEQUENCE, EPOCH = "lodestone-position", "lodestone-sequence", "lodestone-epoch"
CLOUDEVENT = ("content-type", b"application/cloudevents+json; charset=UTF-8")
"""Structured mode of the CloudEvents Kafka binding: the value is the whole event."""
JSON = ("content-type", b"application/json")

Headers = list[tuple[str, bytes]]


class Record(NamedTuple):
    """One record to send; `partition` None: the topic has one only."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers
    partition: int = 0


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's default partitioner puts a key (murmur2): any client of Kafka finds it there."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)
