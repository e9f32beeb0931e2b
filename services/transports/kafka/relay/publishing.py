"""Publishing: one Kafka transaction for a page, so that a reader of committed records sees all of it or nothing."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from events.errors import Refused, Unavailable
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.records import POSITION, Record

TRANSACTION_S = 10.0
"""How long a transaction may last: as long does a dead relay hold readers back where no other takes over."""
BEAT_S = 1.0

Beat = Callable[[], None]
"""Called about once a second while Kafka is waited for: renews the lease, or raises Fenced."""


class Publisher:
    """The transactional producer of whoever holds the lease; `fence` comes first.

    `largest` is the size in bytes of the largest record that the topics take.
    """

    def __init__(self, cluster: Cluster, largest: int) -> None:
        self.cluster = cluster
        self._open = False
        self._hangs = False
        self.producer: KafkaProducer = cluster.producer(
            "relay",
            transactional_id=cluster.name("relay"),
            transaction_timeout_ms=int(TRANSACTION_S * 1000),
            request_timeout_ms=int(TRANSACTION_S * 800),
            delivery_timeout_ms=int(TRANSACTION_S * 1000),
            max_block_ms=int(TRANSACTION_S * 1000),
            max_request_size=largest,
        )

    def fence(self) -> None:
        """Give up what an older relay left unfinished; it finishes nothing more. Raises Unavailable, Forbidden."""
        with self.cluster.reaching():
            self.producer.init_transactions()

    def publish(
        self, records: Sequence[Record], closing: Callable[[Mapping[tuple[str, int], int]], Record], beat: Beat
    ) -> None:
        """Send and commit; `closing` makes the last record from the last offset in each partition.

        Raises Unavailable when that failed or took too long, then nothing of it is read by anybody; Refused for a
        record larger than the topics take; Forbidden; and what `beat` raises.
        """
        with self.cluster.reaching():
            self.producer.begin_transaction()
            self._open = True
            sent = [self._send(record) for record in records]
            self._delivered(records, sent, beat)
            lasts = {(record.topic, record.partition): future for record, future in zip(records, sent, strict=True)}
            last = closing({at: future.value.offset for at, future in lasts.items()})
            self._delivered([last], [self._send(last)], beat)
            self._waited(self.producer.commit_transaction, beat)
            self._open = False

    def close(self) -> None:
        """Give up what was not committed, and let the producer go."""
        if self._open and not self._hangs:
            with suppress(Unavailable, KafkaError):
                self._waited(self.producer.abort_transaction, lambda: None, BEAT_S)
        with suppress(KafkaError):
            self.producer.close(timeout=BEAT_S)
        sender = self.producer._sender  # the client lets it run on for ever where a record was not delivered
        if sender is not None and sender.is_alive():
            sender.force_close()

    def _send(self, record: Record) -> Any:
        try:
            return self.producer.send(
                record.topic, record.value, record.key, record.headers, partition=record.partition
            )
        except MessageSizeTooLargeError as error:
            raise self._too_large(record) from error
        except ValueError as error:  # what the client knows of the topic changed under us
            raise Unavailable(f"Kafka has no partition {record.partition} of {record.topic} any more.") from error

    def _delivered(self, records: Sequence[Record], sent: Sequence[Any], beat: Beat) -> None:
        """Wait until every record is where it belongs: one that failed must not be committed without."""
        for _ in range(int(TRANSACTION_S / BEAT_S) + 1):
            with suppress(KafkaTimeoutError):
                self.producer.flush(timeout=BEAT_S)
                break
            beat()
        else:
            self._hangs = True
        for record, future in zip(records, sent, strict=True):
            if isinstance(future.exception, MessageSizeTooLargeError):
                raise self._too_large(record)
            if not future.succeeded():
                raise future.exception or KafkaTimeoutError("records were not delivered in time")

    def _waited(self, work: Callable[[], object], beat: Beat, limit_s: float = TRANSACTION_S) -> None:
        """Do this in a thread of its own: the client waits for ever for an answer to a commit."""
        failed: list[KafkaError] = []

        def run() -> None:
            try:
                work()
            except KafkaError as error:
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        for _ in range(max(1, int(limit_s / BEAT_S))):
            thread.join(BEAT_S)
            if not thread.is_alive():
                break
            beat()
        else:
            self._hangs = True
            raise Unavailable(f"Kafka at {self.cluster.servers} does not answer in the middle of a transaction.")
        if failed:
            raise failed[0]

    def _too_large(self, record: Record) -> Refused:
        where = dict(record.headers).get(POSITION, b"of a feed").decode()
        size = len(record.value or b"")
        return Refused(
            f"The event at position {where} has {size} bytes, more than the topic {record.topic} takes in one record; "
            f"nothing is left out, so the relay stops here. Raise it on the topics of {self.cluster.prefix}: "
            f"kafka-configs.sh --bootstrap-server {self.cluster.servers} --alter --entity-type topics --entity-name "
            f"{record.topic} --add-config max.message.bytes={2 * size}"
        )
