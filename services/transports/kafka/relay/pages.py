"""A page of the log becomes the records of all topics, and the progress that is true once they are committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from events.errors import Refused
from events.partitions import partition_of
from events.refs import ref_text
from services.store.log import Log, leaf_hash
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.current import Current
from services.transports.kafka.relay.progress import Progress, Share
from services.transports.kafka.relay.records import CLOUDEVENT, EPOCH, POSITION, SEQUENCE, Headers, Record

Page = Sequence[tuple[int, bytes]]
_SPECS, _FEEDS = "specs/", "feeds/"


class _Outer(msgspec.Struct, gc=False):
    """What is read of every event to say where it goes; the rest of its bytes is only passed over."""

    stream: str
    partitionkey: str | None = None
    traceparent: Any = None


_outer = msgspec.json.Decoder(_Outer).decode


@dataclass(slots=True)
class Outgoing:
    """The records of a page in order, and how many each partition of `log.v1` then has, from its first one on.

    `leaf` is that of the event at `position`, as in the progress.
    """

    records: list[Record]
    position: int
    sequences: list[int]
    leaf: str | None

    def progress(self, before: Progress, last: Mapping[int, int]) -> Progress:
        """The progress once these are committed; `last` has the offset of the last record sent to a partition."""
        shares = tuple(
            Share(sequence, last[p] + 1 if p in last else before.shares[p].end)
            for p, sequence in enumerate(self.sequences)
        )
        return Progress(before.log_id, before.epoch, self.position, shares, self.leaf)


class Pages:
    """Makes the records; knows the names of the topics, and which suppliers have theirs already."""

    def __init__(self, cluster: Cluster, log: Log) -> None:
        self.cluster = cluster
        self.log_topic = topics.whole_log(cluster).name
        self.changes = topics.spec_changes(cluster).name
        self.current = Current(log, topics.spec_current(cluster).name)
        self._suppliers: dict[str, str] = {}

    def kind(self, topic: str) -> str:
        """The topic for measurements: without the prefix, and all suppliers' as one."""
        kind = topic.removeprefix(f"{self.cluster.prefix}.")
        return "supplier.v1" if kind.startswith("supplier.") else kind

    def outgoing(self, page: Page, before: Progress) -> Outgoing:
        """The records of these stored events. Raises Refused, UnknownType; Unavailable, Forbidden."""
        sequences = [share.sequence for share in before.shares]
        last, stored = page[-1]
        made = Outgoing([], last, sequences, leaf_hash(stored).hex())
        partitions, epoch = len(sequences), b"%d" % before.epoch
        topic, add = self.log_topic, made.records.append
        for position, body in page:
            outer = _outer(body)
            stream = outer.stream
            key = outer.partitionkey or stream.partition("/")[2]
            partition = partition_of(key, partitions)
            sequence = sequences[partition] = sequences[partition] + 1
            headers: Headers = [
                CLOUDEVENT,
                (POSITION, b"%d" % position),
                (SEQUENCE, b"%d" % sequence),
                (EPOCH, epoch),
            ]
            if outer.traceparent is not None:
                headers.append(("traceparent", str(outer.traceparent).encode()))
            add(Record(topic, key.encode(), body, headers, partition))
            if stream.startswith(_SPECS):
                made.records += self._spec(position, body, key, epoch)
            elif stream.startswith(_FEEDS):
                add(self._notice(stream, orjson.loads(body), body, epoch))
        self.current.forget()
        return made

    def _spec(self, position: int, body: bytes, key: str, epoch: bytes) -> list[Record]:
        headers: Headers = [CLOUDEVENT, (POSITION, b"%d" % position), (EPOCH, epoch)]
        return [
            Record(self.changes, key.encode(), body, headers),
            *self.current.revised(position, body, epoch),
        ]

    def _notice(self, stream: str, event: Mapping[str, Any], body: bytes, epoch: bytes) -> Record:
        """The record in the topic of the one party that this is for, and in no other.

        The log's positions are not told to a supplier: they would say how much the others are told.
        """
        party = stream.removeprefix(_FEEDS)
        data = event["data"]
        if ref_text(data["party"]) != party:
            raise Refused(
                f"The event {event['id']} of the feed of {party} names the party {ref_text(data['party'])}: it is "
                "published to neither. `lodestone verify` says whether the log was changed."
            )
        return Record(self._supplier(party), str(data["notice"]).encode(), body, [CLOUDEVENT, (EPOCH, epoch)])

    def _supplier(self, party: str) -> str:
        """The name of a supplier's topic, made when its first event comes."""
        name = self._suppliers.get(party)
        if name is None:
            wanted = topics.supplier_feed(self.cluster, party)
            with self.cluster.reaching():
                topics.make_or_check(self.cluster, [wanted])
            name = self._suppliers[party] = wanted.name
        return name
