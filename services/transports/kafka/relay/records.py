"""The records that an event becomes: its stored bytes as they are, and what a reader needs beside them as headers."""

from typing import NamedTuple

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
