"""Reading a partition of ours to its end: what is committed, and nothing that comes later."""

import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError

_LOOK_BACK = 64
"""How many offsets before the end are looked at first; twice as many each time that nothing was there."""
_POLL_MS = 200
_STUCK_S = 20.0


def records_until_end(consumer: KafkaConsumer, at: TopicPartition, start: int | None = None) -> Iterator[Any]:
    """The committed records from an offset (None: the first) to the end as it is now. Raises KafkaTimeoutError."""
    begin, end = consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]
    consumer.assign([at])
    consumer.seek(at, begin if start is None else max(begin, start))
    moved, where = time.monotonic(), -1
    while (now_at := consumer.position(at)) < end:
        if now_at > where:
            moved, where = time.monotonic(), now_at
        elif time.monotonic() - moved > _STUCK_S:
            raise KafkaTimeoutError(f"{at.topic} cannot be read beyond offset {now_at}")
        yield from consumer.poll(timeout_ms=_POLL_MS).get(at, ())


def last_record(consumer: KafkaConsumer, at: TopicPartition) -> Any:
    """The last committed record of a partition, or None: markers and what was given up may lie behind it."""
    begin, end = consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]
    back = _LOOK_BACK
    while end > begin:
        last = None
        for last in records_until_end(consumer, at, end - back):  # noqa: B007 - the last one is what we are after
            pass
        if last is not None or end - back <= begin:
            return last
        back *= 2
    return None
