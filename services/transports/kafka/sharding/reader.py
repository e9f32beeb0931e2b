"""The reader: one member of the consumer group of shards, placed by the shares' rows and not by the group's offsets."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from services.store.projecting.pages import PAGE
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.groups import Watch, member_name
from services.transports.kafka.sharding.places import Place

GROUP = "shards"
FETCHED = 32 * 1024 * 1024
"""Bytes that are fetched ahead at most; of one partition an eighth."""
ASK_MS = 5_000


class Reader:
    """Reads the log's topic as a member of the group. Not for several threads. Raises Unavailable, Forbidden."""

    def __init__(self, cluster: Cluster, log_id: str) -> None:
        self.group = cluster.name(GROUP)
        self.topic = topics.whole_log(cluster).name
        self.watch = Watch()
        self.consumer: KafkaConsumer = cluster.consumer(
            member_name(GROUP, log_id),
            group_id=self.group,
            max_poll_records=PAGE,
            fetch_max_bytes=FETCHED,
            max_partition_fetch_bytes=FETCHED // 8,
            metadata_max_age_ms=10_000,
        )
        # A member that joins before it knows the topic's partitions may lead the group and give nobody any.
        self.consumer.partitions_for_topic(self.topic)
        self.consumer.subscribe([self.topic], listener=self.watch)

    @property
    def misplaced(self) -> bool:
        """Whether partitions came or went: what is read before they are placed is for nobody."""
        return self.watch.changed.is_set()

    def assigned(self) -> list[int]:
        """The partitions that the group gave us."""
        return sorted(at.partition for at in self.consumer.assignment())

    def poll(self, timeout_ms: int) -> Mapping[int, list[Any]]:
        """The next records of each partition, in order; none while we are to be placed anew."""
        found: Mapping[TopicPartition, list[Any]] = self.consumer.poll(timeout_ms=timeout_ms)
        return {} if self.misplaced else {at.partition: records for at, records in found.items()}

    def place(self, place: Place) -> None:
        """Read this partition on from there."""
        at = self._at(place.partition)
        if place.offset is None:
            self.consumer.seek_to_beginning(at)
        else:
            self.consumer.seek(at, place.offset)
        self.consumer.resume(at)

    def leave_alone(self, partition: int) -> None:
        """Read nothing of this partition."""
        self.consumer.pause(self._at(partition))

    def offset(self, partition: int) -> int:
        """Everything before this offset was read, or holds no record."""
        return int(self.consumer.position(self._at(partition), timeout_ms=ASK_MS))

    def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where these partitions end, as far as was heard."""
        return {one: self.consumer.highwater(self._at(one)) or 0 for one in partitions}

    def tell_group(self, offsets: Mapping[int, int]) -> None:
        """Tell Kafka how far we are: only so that its own tools show our lag, nothing is read from there."""
        told = {self._at(partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
        if told:
            with suppress(KafkaError):
                self.consumer.commit_async(told)

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        with suppress(KafkaError):
            self.consumer.close(autocommit=False, timeout_ms=3_000)

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)
