"""Following the relay's progress: once a partition is read to where a progress says it ended, its share is that far."""

from collections import deque
from collections.abc import Iterable

import orjson
from kafka import KafkaConsumer, TopicPartition

from events.errors import Refused
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import Progress
from services.transports.kafka.relay.progress import read as progress_of
from services.transports.kafka.relay.reading import last_record
from services.transports.kafka.sharding.places import Standing

KEPT = 500
"""Progresses that are remembered: a partition may be read later than others."""


class Following:
    """Reads the progress topic beside the log's. Not for several threads. Raises Unavailable, Forbidden."""

    def __init__(self, cluster: Cluster, log_id: str) -> None:
        self.cluster = cluster
        self.log_id = log_id
        self.topic = topics.relay_progress(cluster).name
        self.consumer: KafkaConsumer = cluster.consumer("shards-progress", group_id=None)
        self.kept: deque[Progress] = deque(maxlen=KEPT)
        at = TopicPartition(self.topic, 0)
        last = last_record(self.consumer, at)
        if last is None:
            self.consumer.assign([at])
            self.consumer.seek_to_beginning(at)
        else:
            self._take([last])

    def look(self) -> bool:
        """Take what came since; whether anything did. Raises Refused when the topics are another log's."""
        found = self.consumer.poll(timeout_ms=0)
        for records in found.values():
            self._take(records)
        return bool(found)

    def _take(self, records: list) -> None:  # type: ignore[type-arg]
        for record in records:
            if record.value is None:
                continue
            found = progress_of(orjson.loads(record.value))
            if found.log_id != self.log_id:
                raise Refused(
                    f"The topics {self.cluster.prefix}.… belong to the log {found.log_id}, and this database holds the "
                    f"log {self.log_id}. Give this one topics of its own with LODESTONE_KAFKA_PREFIX."
                )
            self.kept.append(found)

    def end(self, partition: int) -> int:
        """Up to which offset a partition is published, as far as was heard."""
        shares = self.kept[-1].shares if self.kept else ()
        return shares[partition].end if partition < len(shares) else 0

    def reached(self, partition: int, offset: int, standing: Standing) -> int:
        """The position that a partition is folded up to which was read up to this offset; 0: not known."""
        return reached(self.kept, partition, offset, standing)

    def close(self) -> None:
        """Let the client go."""
        self.consumer.close(autocommit=False)


def reached(told: Iterable[Progress], partition: int, offset: int, standing: Standing) -> int:
    """The position that a partition is folded up to which was read up to this offset, by what was told; else 0."""
    read = (one for one in told if partition < len(one.shares) and one.shares[partition].end <= offset)
    return max((standing(one.position, one.epoch) for one in read), default=0)
