"""Ingress: read, check and append, batch after batch, while the next one is read already; nothing counts twice."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from kafka.errors import CorruptRecordError

from events.errors import DomainError, Refused, Unavailable
from services.exchange.ingest import Ingest
from services.store.log import CursorMoved
from services.store.reports import Reporter
from services.store.sealing.ledger import log_id
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.groups import check_group
from services.transports.kafka.ingress.bringing import Brought, bring
from services.transports.kafka.ingress.figures import Figures
from services.transports.kafka.ingress.messages import checked
from services.transports.kafka.ingress.principals import Principals
from services.transports.kafka.ingress.reading import GROUP, PATIENCE, Reader
from services.transports.kafka.ingress.telling import Teller
from services.transports.kafka.moving import Patience

POLL_MS = 200
AT_ONCE = 1_000
"""Messages of one append."""
SLOW_S = 1.0
"""An append that takes longer is waited for with the partitions paused and the group kept up."""
TROUBLE_S = (1.0, 2.0, 5.0, 10.0)
"""How long to wait before Kafka is tried again."""
LOOK_S = 5.0
"""How often the brokers are asked where the topics end, and whether they are still the same topics."""

_words = structlog.get_logger("ingress")


@dataclass(slots=True)
class _Flight:
    """A batch that is being appended while the next one is read."""

    brought: Future[Brought]
    size: int
    began: float


class Ingress:
    """One member of the group. `run` until `stop`; what it reports is shown by the service."""

    def __init__(
        self, cluster: Cluster, ingest: Ingest, principals: Principals, owner: str, patience: Patience = PATIENCE
    ) -> None:
        self.cluster = cluster
        self.ingest = ingest
        self.database = ingest.log.database
        self.principals = principals
        self.owner = owner
        self.patience = patience
        self.stopping = threading.Event()
        self.figures = Figures(self.database, cluster)
        self.teller = Teller(cluster, self.database)
        self._flight: _Flight | None = None
        self._looked = 0.0

    def run(self) -> None:
        """Take messages in until told to stop; Kafka or database that are away are waited for, and said once."""
        tries = 0
        with (
            Reporter(self.database, "ingress", self.owner, self.figures.says),
            self.teller,
            ThreadPoolExecutor(1, thread_name_prefix="ingress-append") as appending,
        ):
            self._appending = appending
            while not self.stopping.is_set():
                try:
                    with self.cluster.reaching():
                        self._session()
                except DomainError as error:
                    self.figures.in_trouble(error.detail)
                    tries = 0 if self.figures.worked_lately() else tries + 1
                    self.stopping.wait(TROUBLE_S[min(tries, len(TROUBLE_S) - 1)])

    def stop(self) -> None:
        """End after the batch in hand, and leave the group."""
        self.stopping.set()
        self.figures.stopping = True

    def _session(self) -> None:
        """As long as one consumer lives. Raises Refused for a topic or group that is not right; Unavailable."""
        trusted = self.principals.trusted
        wanted = topics.bench_events(self.cluster)
        topics.make_or_check(self.cluster, [wanted, topics.bench_rejected(self.cluster), *map(topics.trusted, trusted)])
        with self.database.connect() as connection:
            ours = log_id(connection)
        check_group(self.cluster, GROUP, ours)
        reader = Reader(self.cluster, [wanted.name, *trusted], ours, self.patience)
        self.figures.reader = reader
        try:
            while not self.stopping.is_set() and self._look(reader):
                self._turn(reader)
            with suppress(CursorMoved, Unavailable):  # what was not written is read again from the cursor
                self._settle(reader)
        finally:
            self.figures.reader = None
            self._let_land()
            reader.close()

    def _turn(self, reader: Reader) -> None:
        try:
            records = reader.poll(POLL_MS)
            if reader.misplaced:
                self._settle(reader)
                self.figures.shared_anew()
                self._look_around(reader)
                self._place(reader)
                return
            if not records:
                self._settle(reader)
            for start in range(0, len(records), AT_ONCE):
                self._bring(reader, records[start : start + AT_ONCE])
        except CorruptRecordError as error:
            with suppress(CursorMoved, Unavailable):
                self._settle(reader)
            raise Refused(reader.unreadable(error)) from error
        except CursorMoved as moved:
            _words.info("another member went on from here", reason=moved.detail)
            self._place(reader)
        except Unavailable as error:
            self._wait(reader, error)

    def _bring(self, reader: Reader, records: list[Any]) -> None:
        """Check these while the ones before are appended, then hand them over; nothing once partitions came or went."""
        if reader.misplaced:
            return
        items = checked(records, self.principals)
        self._settle(reader)
        if not reader.misplaced:
            flight = self._appending.submit(bring, self.ingest, items, reader.places)
            self._flight = _Flight(flight, sum(len(one.record.value or b"") for one in items), time.monotonic())

    def _settle(self, reader: Reader) -> None:
        """Wait for the batch that is being appended. Raises CursorMoved and Unavailable: then nothing is in the air."""
        flight = self._flight
        if flight is None:
            return
        while not wait([flight.brought], SLOW_S).done:
            reader.pause()
            reader.poll(0)
        self._flight = None
        if reader.paused:
            reader.resume()
        brought = flight.brought.result()
        self.figures.count(brought, flight.size, time.monotonic() - flight.began)
        if brought.outcomes["rejected"]:
            self.teller.wake()

    def _let_land(self) -> None:
        """Wait for what is in the air, whatever becomes of it: its cursors say what was written."""
        if self._flight is not None:
            wait([self._flight.brought])
            self._flight = None

    def _place(self, reader: Reader) -> None:
        for alarm in reader.place(self.database):
            self.figures.misplaced(alarm)
        self.figures.placed(reader)

    def _look_around(self, reader: Reader) -> None:
        """Say so when somebody joined who is not one of us: part of the messages goes there."""
        try:
            check_group(self.cluster, GROUP, reader.log_id)
        except Refused as error:
            self.figures.alarm(error.detail)

    def _wait(self, reader: Reader, error: Unavailable) -> None:
        """Keep our place in the group, with everything paused, until the stored cursors can be read again."""
        self._let_land()
        while not self.stopping.is_set():
            self.figures.in_trouble(error.detail)
            for _ in range(10):
                reader.pause()
                reader.poll(0)
                if self.stopping.wait(0.1):
                    return
            try:
                self._place(reader)
            except Unavailable as again:
                error = again
            else:
                return

    def _look(self, reader: Reader) -> bool:
        """Now and then: where the topics end, and the group's own offsets; False when the topics changed."""
        now = time.monotonic()
        if now - self._looked < min(LOOK_S, self.patience.seconds):
            return True
        self._looked = now
        reader.tell_group()
        return reader.look()
