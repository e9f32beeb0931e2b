"""Telling: what was refused is published with its reason, at least once, and only then removed from the outbox."""

import threading
from base64 import b64decode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson
import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from sqlalchemy import Connection, RowMapping, delete, select

from events.errors import DomainError
from services.store.database import Database
from services.store.tables import ingress_rejections
from services.transports.kafka import topics
from services.transports.kafka.binding import Headers
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.messages import TRUNCATED

AT_ONCE = 200
IDLE_S = 5.0
FLUSH_S = 15.0
LARGEST, BATCH = 1_048_576, 131_072
"""Bytes of a request and of a batch, where the topic takes that much."""
SHORT = 1_000
"""Characters of a reason that are told where all of it is too much."""

_words = structlog.get_logger("ingress")


class Teller:
    """Publishes the outbox of refused messages from a thread of its own. Used with `with`."""

    def __init__(self, cluster: Cluster, database: Database) -> None:
        self.cluster = cluster
        self.database = database
        self.topic = topics.bench_rejected(cluster).name
        self._producer: KafkaProducer | None = None
        self._trouble: str | None = None
        self._awake = threading.Event()
        self._ended = threading.Event()

    def __enter__(self) -> "Teller":
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, name="ingress-telling", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._awake.set()
        self._thread.join(FLUSH_S)

    def wake(self) -> None:
        """Something was refused just now."""
        self._awake.set()

    def _run(self) -> None:
        while True:
            ending = self._ended.is_set()
            self._awake.clear()
            try:
                while self.tell_some():
                    self._trouble = None
            except DomainError as error:  # refused by an ACL as well: an operator may mend that under us
                self._in_trouble(error.detail)
            if ending:
                break
            self._awake.wait(IDLE_S)
        self._let_go()

    def _in_trouble(self, detail: str) -> None:
        """Say once why nothing is told, and begin with another client: one that failed for good never sends again."""
        if detail != self._trouble:
            self._trouble = detail
            _words.warning("refused messages are not told yet", reason=detail)
        self._let_go()

    def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=2)

    def tell_some(self) -> int:
        """Publish up to 200 refusals and remove them; how many. What another member is telling is passed over."""
        first = select(ingress_rejections).order_by(ingress_rejections.c.number).limit(AT_ONCE)
        with self.database.begin() as connection:
            rows = list(connection.execute(first.with_for_update(skip_locked=True)).mappings())
            if rows:
                with self.cluster.reaching():
                    self._publish(rows)
                self._remove(connection, rows)
        return len(rows)

    def _publish(self, rows: list[RowMapping]) -> None:
        """Each as it is, and those that are larger than client or topic take, without what makes them so."""
        if self._producer is None:
            self._producer = self._made()
        large = [row for row, told in zip(rows, self._told(map(record, rows)), strict=True) if not told]
        if not all(self._told(map(short, large))):
            raise MessageSizeTooLargeError(f"{self.topic} does not even take {SHORT * 4} bytes")

    def _made(self) -> KafkaProducer:
        """A producer that knows what the topic takes: one that writes nothing twice ends at the broker's refusal."""
        largest = min(topics.largest_record(self.cluster, [topics.bench_rejected(self.cluster)]), LARGEST)
        return self.cluster.producer(
            "rejections", max_block_ms=10_000, max_request_size=largest, batch_size=min(largest, BATCH)
        )

    def _told(self, records: Iterable[dict[str, Any]]) -> list[bool]:
        """Send these, and wait; for each, whether it was told, or is too large for that. Raises KafkaError."""
        assert self._producer is not None
        sent: list[Any] = []
        for one in records:
            try:
                sent.append(self._producer.send(self.topic, **one))
            except MessageSizeTooLargeError:
                sent.append(None)
        self._producer.flush(timeout=FLUSH_S)
        for future in sent:
            if future is not None:
                future.get(timeout=1)
        return [future is not None for future in sent]

    def _remove(self, connection: Connection, rows: list[RowMapping]) -> None:
        numbers = [row["number"] for row in rows]
        connection.execute(delete(ingress_rejections).where(ingress_rejections.c.number.in_(numbers)))


def record(row: RowMapping) -> dict[str, Any]:
    """The record of a refusal: the message as it came, without its token, and why it was refused in headers."""
    problem = row["problem"]
    headers = [(name, None if text is None else b64decode(text)) for name, text in row["headers"]]
    return {
        "key": row["key"],
        "value": row["value"],
        "headers": [*headers, *_told_of(row, problem, str(problem.get("detail", "")))],
    }


def short(row: RowMapping) -> dict[str, Any]:
    """The record of a refusal that no record holds as it is: without the message, and where that and all of the reason
    is to be found.
    """
    problem = {name: row["problem"].get(name) for name in ("type", "title", "status")}
    detail = str(row["problem"].get("detail", ""))[:SHORT]
    reason = f"{detail} … The message, and the whole reason, are in quarantine under {row['quarantine_id']}."
    cut = next((b64decode(text) for name, text in row["headers"] if name == TRUNCATED), None)
    size = cut or str(len(row["value"] or b"")).encode()
    key = row["key"] if len(row["key"] or b"") <= SHORT else None
    told = _told_of(row, {**problem, "detail": reason}, reason)
    return {"key": key, "value": b"", "headers": [(TRUNCATED, size), *told]}


def _told_of(row: RowMapping, problem: Mapping[str, Any], reason: str) -> Headers:
    return [
        ("lodestone-problem", orjson.dumps(problem)),
        ("lodestone-reason", reason.encode()),
        ("lodestone-topic", row["topic"].encode()),
        ("lodestone-partition", str(row["partition"]).encode()),
        ("lodestone-offset", str(row["offset"]).encode()),
        ("lodestone-quarantine", row["quarantine_id"].encode()),
    ]
