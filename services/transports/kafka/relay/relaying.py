"""The relay's loop: stand by until the lease is ours, then publish page after page until it is not."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from events.errors import DomainError, Unavailable
from services.measurements import Tally
from services.store import leases
from services.store.database import Database
from services.store.leases import Fenced, Lease
from services.store.log import Log
from services.store.reports import body
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay import progress as progresses
from services.transports.kafka.relay import starting
from services.transports.kafka.relay.current import keys_there
from services.transports.kafka.relay.pages import Outgoing, Pages
from services.transports.kafka.relay.progress import Progress
from services.transports.kafka.relay.publishing import Publisher
from services.transports.kafka.relay.records import Record

LEASE = "relay"
LEASE_S = 4.0
RENEW_S = 1.0
STANDBY_S = 0.5
IDLE_S = 0.05
PAGE = 8192
PAGE_BYTES = 16 * 1024 * 1024
"""A page of large events is followed by a smaller one: memory stays bounded."""
BACKOFF_S = (1.0, 2.0, 4.0, 8.0)

_words = structlog.get_logger("relay")


class Relay:
    """One relay; any number may run against one database and cluster, the lease decides which one publishes."""

    def __init__(
        self, database: Database, log: Log, cluster: Cluster, owner: str, *, from_start: bool = False, page: int = PAGE
    ) -> None:
        self.database = database
        self.log = log
        self.cluster = cluster
        self.owner = owner
        self.from_start = from_start
        self.page = page
        self.stopping = threading.Event()
        self.state = "waiting"
        self.detail: str | None = None
        self.progress: Progress | None = None
        self.tally = Tally("relay")
        self._lease: Lease | None = None
        self._renewed = 0.0
        self._looked = 0.0
        self._tries = 0
        self._size = page

    def stop(self) -> None:
        """End after the page at hand."""
        self.stopping.set()

    def run(self) -> None:
        """Work until `stop`. Database or Kafka away: said once, tried again, and caught up.

        Raises Refused, UnknownType, Forbidden with what a person must do first.
        """
        while not self.stopping.is_set():
            try:
                self._turn()
            except Fenced:
                self._lease = None
                _words.warning("another relay took over; standing by")
            except Unavailable as error:
                self._trouble(error.detail)
        self.state = "stopping"

    def says(self) -> Mapping[str, Any]:
        """The report of this process."""
        known, lease = self.progress, self._lease
        active = self.state == "working" and known is not None and lease is not None
        self.tally.set("lodestone_relay_active", int(active))
        if known is not None and lease is not None and active:
            self.tally.set("lodestone_relay_position", known.position)
            self.tally.set("lodestone_relay_epoch", lease.epoch)
        else:
            self.tally.forget("lodestone_relay_position")
            self.tally.forget("lodestone_relay_epoch")
        return body(self.state, self.detail, self.tally.figures())

    def _turn(self) -> None:
        lease = leases.take(self.database, LEASE, self.owner, LEASE_S)
        if lease is None:
            self.state, self.detail = "standby", None
            self.stopping.wait(STANDBY_S)
            return
        self._lease, self._renewed = lease, time.monotonic()
        try:
            self._lead()
        except Unavailable:
            self._beat(at_once=True)  # a producer that was fenced says no more than that it failed
            raise
        finally:
            if self._lease is not None:
                leases.release(self.database, self._lease)
                self._lease = None

    def _lead(self) -> None:
        wanted = starting.fixed_topics(self.cluster)
        with self.cluster.reaching():
            counts = topics.make_or_check(self.cluster, wanted)
            largest = topics.largest_record(self.cluster, wanted)
        publisher = Publisher(self.cluster, largest)
        try:
            publisher.fence()
            pages = Pages(self.cluster, self.log)
            self._begin(publisher, pages, counts[pages.log_topic])
            while not self.stopping.is_set():
                self._beat()
                if not self._page(publisher, pages):
                    self.stopping.wait(IDLE_S)
        finally:
            publisher.close()

    def _begin(self, publisher: Publisher, pages: Pages, partitions: int) -> None:
        """Find where to go on; what only a new epoch or a new start says is published first."""
        self._beat(at_once=True)  # whoever paused between lease and producer finds here that it came too late
        now = starting.standing(self.database)
        known = progresses.newest(self.cluster)
        found = progresses.ends(self.cluster, partitions, tails=self.from_start or known is None)
        go_on = starting.again if self.from_start else starting.going_on
        progress = go_on(self.cluster, now, known, found)
        starting.check_same(self.log, progress)
        if progress != known and known is not None:
            made = Outgoing([], progress.position, [share.sequence for share in progress.shares], progress.leaf)
            if not self.from_start:
                there = keys_there(self.cluster, pages.current.topic)
                made.records = pages.current.all(progress.position, there, progress.epoch)
            self._publish(publisher, pages, made, progress)
        self.progress, self.from_start = progress, False
        self._well(f"publishing after position {progress.position} in epoch {progress.epoch}")

    def _page(self, publisher: Publisher, pages: Pages) -> bool:
        """Publish the next page; whether there was one."""
        before = self.progress
        assert before is not None
        page = self.log.read_bytes(before.position, self._size)
        if not page and time.monotonic() - self._looked < RENEW_S:
            return False
        now = starting.standing(self.database)
        self._looked = time.monotonic()
        if (now.log_id, now.epoch) != (before.log_id, before.epoch) or now.head < before.position:
            raise Unavailable("The log in the database is not the one from before; looking again.")
        if not page:
            return False
        self.progress = self._publish(publisher, pages, pages.outgoing(page, before), before)
        size = sum(len(stored) for _, stored in page)
        self._size = max(1, min(self.page, len(page) * PAGE_BYTES // size))
        return True

    def _publish(self, publisher: Publisher, pages: Pages, made: Outgoing, before: Progress) -> Progress:
        after = before

        def closing(last: Mapping[tuple[str, int], int]) -> Record:
            nonlocal after
            ours = {partition: offset for (topic, partition), offset in last.items() if topic == pages.log_topic}
            after = made.progress(before, ours)
            return after.record(topics.relay_progress(self.cluster).name)

        began = time.monotonic()
        try:
            publisher.publish(made.records, closing, self._beat)
        except (DomainError, Fenced):
            self.tally.add("lodestone_relay_transactions_total", 1, "aborted")
            raise
        self.tally.add("lodestone_relay_transactions_total", 1, "committed")
        self.tally.timed("lodestone_relay_transaction_duration_seconds", time.monotonic() - began)
        for topic, records in Counter(record.topic for record in made.records).items():
            self.tally.add("lodestone_relay_records_total", records, pages.kind(topic))
        return after

    def _beat(self, at_once: bool = False) -> None:
        """Renew the lease about once a second. Raises Fenced when it went to somebody else."""
        if not at_once and time.monotonic() - self._renewed < RENEW_S:
            return
        held = leases.take(self.database, LEASE, self.owner, LEASE_S)
        if held is None or held != self._lease:
            self._lease = held
            raise Fenced("The lease of the relay went to another process.")
        self._renewed = time.monotonic()

    def _well(self, words: str) -> None:
        self.state, self.detail, self._tries = "working", None, 0
        _words.info(words)

    def _trouble(self, detail: str) -> None:
        """Say once what is wrong, wait a little longer each time, and try with less: a slow Kafka may manage that."""
        self.state = "waiting"
        self._size = max(1, self._size // 2)
        if detail != self.detail:
            self.detail = detail
            _words.warning("waiting", reason=detail)
        self.stopping.wait(BACKOFF_S[min(self._tries, len(BACKOFF_S) - 1)])
        self._tries += 1
