"""A plain client of Kafka: what it reads of a topic, as docs/kafka.md asks, with nothing of ours."""

from typing import Any

from kafka import KafkaConsumer, TopicPartition


def read(servers: str, topic: str, isolation: str = "read_committed") -> list[Any]:
    """Every record of a topic to its end, one partition after the other."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
    )
    try:
        found: list[Any] = []
        for partition in sorted(consumer.partitions_for_topic(topic) or ()):
            at = TopicPartition(topic, partition)
            consumer.assign([at])
            consumer.seek_to_beginning(at)
            end = consumer.end_offsets([at])[at]
            while consumer.position(at) < end:
                found += consumer.poll(timeout_ms=200).get(at, [])
        return found
    finally:
        consumer.close()


def headers(record: Any) -> dict[str, str]:
    """The headers as text."""
    return {name: value.decode() for name, value in record.headers}


def number(record: Any, name: str) -> int:
    """One of our numbers among the headers."""
    return int(headers(record)[f"lodestone-{name}"])
