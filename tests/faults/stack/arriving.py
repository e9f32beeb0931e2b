"""What was published and what of it was brought into the log, asked of the broker and of the database themselves."""

from collections.abc import Mapping

import psycopg
from kafka import TopicPartition

from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster


def published(cluster: Cluster) -> dict[int, int]:
    """Where each partition of the benches' topic ends. Raises Unavailable, KafkaError."""
    topic = topics.bench_events(cluster).name
    consumer = cluster.consumer("ends")
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return {at.partition: end for at, end in consumer.end_offsets(partitions).items()}
    finally:
        consumer.close(autocommit=False)


def not_brought(database_url: str, ends: Mapping[int, int]) -> int:
    """How many messages before these ends no cursor has passed. Raises psycopg.Error."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT name, next FROM log_cursors WHERE name LIKE 'kafka %'").fetchall()
    passed = {int(name.rpartition(" ")[2]): offset for name, offset in rows}
    return sum(end - passed.get(partition, 0) for partition, end in ends.items())
