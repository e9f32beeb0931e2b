"""Reading: one member of the consumer group, placed by the cursors in our database and not by the group's offsets."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from events.errors import Unavailable
from services.store.database import Database
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.groups import Watch, member_name
from services.transports.kafka.ingress.cursors import UNKNOWN, Found, Place, find, stored
from services.transports.kafka.moving import Moving, Patience

GROUP = "ingress"
FETCHED = 2 * 1024 * 1024
"""Bytes of one poll, and as many are fetched ahead; of one partition a quarter."""
EVERY = 1_000_000
"""Records of one poll: more than those bytes can be. Only when it has nothing left does the client fetch more, while
we work on what it gave."""
ASK_MS = 5_000
PATIENCE = Patience(15.0)


class Reader:
    """Reads these topics as a member of the group. Not for several threads. Raises Unavailable, Forbidden."""

    def __init__(self, cluster: Cluster, topics: Sequence[str], log_id: str, patience: Patience = PATIENCE) -> None:
        self.cluster = cluster
        self.log_id = log_id
        self.topics = list(topics)
        self.places: dict[TopicPartition, Place] = {}
        self.ends: dict[TopicPartition, int] = {}
        self.paused = False
        self.seen = self.ask_topics()
        self.moving = Moving(patience)
        self.watch = Watch()
        self.consumer: KafkaConsumer = cluster.consumer(
            member_name(GROUP, log_id),
            group_id=cluster.name(GROUP),
            max_poll_records=EVERY,
            fetch_max_bytes=FETCHED,
            max_partition_fetch_bytes=FETCHED // 4,
            metadata_max_age_ms=10_000,
        )
        self.consumer.subscribe(self.topics, listener=self.watch)
        with cluster.reaching():  # else the group would first share out topics that nobody knows anything of
            self.consumer.bootstrap(timeout_ms=int(cluster.reach_s * 1000), refresh=True)

    def poll(self, timeout_ms: int) -> list[Any]:
        """The next messages, partition after partition, each in order; none while we are to be placed anew."""
        found: Mapping[TopicPartition, list[Any]] = self.consumer.poll(timeout_ms=timeout_ms)
        self.moving.polled()
        if self.watch.changed.is_set():
            return []
        for partition, records in found.items():
            place = self.places.get(partition)
            if place is None or (place.next is not None and records[0].offset < place.next):
                self.watch.changed.set()  # the topic was made anew under us, and the client began at its start
                return []
        return [record for records in found.values() for record in records]

    @property
    def misplaced(self) -> bool:
        """Whether `place` is to be called before anything is read on."""
        return self.watch.changed.is_set()

    def place(self, database: Database) -> list[str]:
        """Go to the stored cursors of what is assigned to us now; what was alarming. Raises Unavailable, KafkaError."""
        self.watch.changed.clear()
        partitions = sorted(self.consumer.assignment())
        self.places = {}
        alarms = []
        if partitions:
            for partition, found in self._find(database, partitions).items():
                self.consumer.seek(partition, found.start)
                self.places[partition] = found.place
                alarms += [found.alarm] if found.alarm else []
        self.resume()
        return alarms

    def _find(self, database: Database, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Found]:
        self.seen = self.ask_topics()
        firsts = self.consumer.beginning_offsets(partitions, timeout_ms=ASK_MS)
        self.ends = self.consumer.end_offsets(partitions, timeout_ms=ASK_MS)
        cursors = stored(database, partitions)
        return {
            one: find(one, self.seen.get(one.topic, (UNKNOWN, 0))[0], cursors, firsts[one], self.ends[one])
            for one in partitions
        }

    def ask_topics(self) -> dict[str, tuple[str, int]]:
        """Each topic's own id, by which one that was made anew under its name is known, and its partitions."""
        with self.cluster.admin() as admin:
            found: Iterable[dict[str, Any]] = admin.describe_topics(self.topics)
        return {one["name"]: (str(one["topic_id"] or UNKNOWN), len(one["partitions"])) for one in found}

    def unreadable(self, error: KafkaError) -> str:
        """What to say and do about a message that the client cannot take apart."""
        left = [f"{at.topic} {at.partition}:{place.next or 0}" for at, place in self.places.items() if self.lag()[at]]
        return (
            f"A message cannot be read ({error}). It is the next one of one of these (topic, partition and offset): "
            f"{', '.join(left)}. To go on without it, remove everything up to it, which is taken in already, with "
            "kafka-delete-records.sh (the offset after it); that is told as an alarm."
        )

    def pause(self) -> None:
        """Take nothing more from the brokers; `poll` goes on, so that the group keeps us."""
        self.consumer.pause(*self.consumer.assignment())
        self.paused = True

    def resume(self) -> None:
        """Read on."""
        self.consumer.resume(*self.consumer.paused())
        self.paused = False
        self.moving.forget()

    def tell_group(self) -> None:
        """Tell Kafka how far we are: only so that its own tools show our lag, nothing is read from there."""
        offsets = {at: OffsetAndMetadata(place.next, "", -1) for at, place in self.places.items() if place.next}
        if offsets:
            with suppress(KafkaError):
                self.consumer.commit_async(offsets)

    def lag(self) -> dict[TopicPartition, int]:
        """Messages not taken in yet, by partition, as far as was heard."""
        return {at: max(0, self._end(at) - (place.next or 0)) for at, place in list(self.places.items())}

    def _end(self, partition: TopicPartition) -> int:
        return max(self.ends.get(partition, 0), self._high(partition))

    def _high(self, partition: TopicPartition) -> int:
        try:
            return self.consumer.highwater(partition) or 0
        except (KafkaError, KeyError, AttributeError):
            return 0

    def look(self) -> bool:
        """Ask the brokers where our partitions end, and whether the topics are the same still.

        False when they are not: then begin anew with another client.

        Raises KafkaError or Unavailable when they are away: `poll` alone would wait for them in silence. Unavailable
        also when nothing comes of a partition where more is.
        """
        if self.places:
            self.ends = self.consumer.end_offsets(list(self.places), timeout_ms=ASK_MS)
        self._check_moving()
        return self.ask_topics() == self.seen

    def _check_moving(self) -> None:
        ours = self.places.keys() & self.consumer.assignment()
        offsets = {at: int(self.consumer.position(at, timeout_ms=ASK_MS)) for at in ours}
        stuck = self.moving.stuck({at: (offset, self.ends[at]) for at, offset in offsets.items()})
        if stuck is not None:
            raise Unavailable(
                f"Nothing comes of partition {stuck.partition} of {stuck.topic}, where more is; joining again.",
                retry_after_s=1,
            )

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        with suppress(KafkaError):
            self.consumer.close(autocommit=False, timeout_ms=3_000)
