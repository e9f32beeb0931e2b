"""`spec.current.v1`: one record for each limit of each specification's last revision, a tombstone where one went."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from kafka import TopicPartition
from sqlalchemy import select

from events.catalogue import stored_types, type_of, upcast
from events.envelope import Recorded, decode
from events.refs import ref_text
from events.rules.specs import SpecIssued, SpecRevised
from services.store.log import Log
from services.store.tables import log_events, of_types
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.reading import records_until_end
from services.transports.kafka.relay.records import EPOCH, JSON, POSITION, Record

SOURCING = "sourcing"
_TEXT = ("spec", "level", "item", "suppliers", "revision", "effectivity", "run_out", "origin")
_TYPES = sorted(stored_types((type_of(SpecIssued), type_of(SpecRevised))))


def values(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a revision says, by key `<spec>/<characteristic>`, and `<spec>/sourcing`, each part percent-encoded."""
    spec = ref_text(data["spec"])
    base = {name: data[name] for name in _TEXT if name in data}
    found: dict[str, dict[str, Any]] = {}
    for limit in data.get("limits") or ():
        found[f"{spec}/{quote(limit['characteristic'], safe='')}"] = {**base, **limit}
    if data.get("sourcing") is not None:
        found[f"{spec}/{SOURCING}"] = {**base, "characteristic": None, "sourcing": data["sourcing"]}
    return found


class Current:
    """Makes the records of `topic`; reads a specification's previous revision from the log where it must."""

    def __init__(self, log: Log, topic: str) -> None:
        self.log = log
        self.topic = topic
        self._keys: dict[str, frozenset[str]] = {}

    def forget(self) -> None:
        """The page ended: what it was remembered for may be read again."""
        self._keys.clear()

    def revised(self, position: int, body: bytes, epoch: bytes) -> list[Record]:
        """The limits as this revision leaves them. Raises UnknownType for one that a newer release wrote."""
        event = upcast(decode(position, body))
        made = values(event.data)
        gone = self._before(event) - made.keys()
        self._keys[event.stream] = frozenset(made)
        return self._records(made, gone, position, epoch)

    def all(self, until: int, there: Iterable[str], epoch: int) -> list[Record]:
        """Every limit as the log has it up to a position, and a tombstone for each key that is there and not in it."""
        made: dict[str, dict[str, Any]] = {}
        last: dict[str, Recorded] = {}
        for event in self._revisions(until):
            last[event.stream] = event
        for event in last.values():
            made |= {key: {**value, "position": event.position} for key, value in values(event.data).items()}
        return self._records(made, set(there) - made.keys(), until, b"%d" % epoch)

    def _revisions(self, until: int) -> list[Recorded]:
        query = (
            select(log_events.c.position, log_events.c.body)
            .where(of_types(_TYPES), log_events.c.position <= until)
            .order_by(log_events.c.position)
        )
        with self.log.database.connect() as connection:
            return [upcast(decode(row.position, bytes(row.body))) for row in connection.execute(query)]

    def _before(self, event: Recorded) -> frozenset[str]:
        """The keys of the revision before this one."""
        known = self._keys.get(event.stream)
        if known is not None:
            return known
        if event.stream_version is None or event.stream_version < 2:
            return frozenset()
        before = self.log.read_stream(event.stream, event.stream_version - 2)[0]
        return frozenset(values(upcast(before).data))

    def _records(
        self, made: Mapping[str, Mapping[str, Any]], gone: Iterable[str], position: int, epoch: bytes
    ) -> list[Record]:
        headers = [JSON, (POSITION, b"%d" % position), (EPOCH, epoch)]
        said = [
            Record(self.topic, key.encode(), orjson.dumps({"position": position, **value}), headers)
            for key, value in made.items()
        ]
        return said + [Record(self.topic, key.encode(), None, headers) for key in sorted(gone)]


def keys_there(cluster: Cluster, topic: str) -> frozenset[str]:
    """The keys that have a value in the topic. Raises Unavailable, Forbidden."""
    consumer = cluster.consumer("relay-current", group_id=None)
    try:
        with cluster.reaching():
            kept = {record.key: record.value for record in records_until_end(consumer, TopicPartition(topic, 0))}
    finally:
        consumer.close()
    return frozenset(key.decode() for key, value in kept.items() if value is not None)
