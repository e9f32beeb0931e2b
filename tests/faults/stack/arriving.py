"""What was published, brought into the log, and published from it: asked of the broker and the database themselves."""

from collections.abc import Mapping

import psycopg
from kafka import TopicPartition

from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import newest


def published(cluster: Cluster) -> dict[int, int]:
    """Where each partition of the benches' topic ends. Raises Unavailable, KafkaError."""
    topic = topics.bench_events(cluster).name
    consumer = cluster.consumer("ends")
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        return {at.partition: end for at, end in consumer.end_offsets(partitions).items()}
    finally:
        consumer.close(autocommit=False)


def not_told(database_url: str) -> int:
    """How many refused messages are not on the topic of rejections yet. Raises psycopg.Error."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        ((waiting,),) = connection.execute("SELECT count(*) FROM ingress_rejections").fetchall()
    return int(waiting)


def not_brought(database_url: str, ends: Mapping[int, int]) -> int:
    """How many messages before these ends no cursor has passed. Raises psycopg.Error."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT name, next FROM log_cursors WHERE name LIKE 'kafka %'").fetchall()
    passed = {int(name.rpartition(" ")[2]): offset for name, offset in rows}
    return sum(end - passed.get(partition, 0) for partition, end in ends.items())


def not_published(cluster: Cluster, database_url: str) -> int:
    """How far the relay's own record is behind the log, in events. Raises Unavailable, psycopg.Error."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        ((head,),) = connection.execute("SELECT coalesce(max(position), 0) FROM log_events").fetchall()
    known = newest(cluster)
    return int(head) - (known.position if known else 0)
