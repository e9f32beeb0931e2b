"""How an ingress stands: its figures, its troubles and its alarms, for its report and its log lines."""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import func, select

from events.errors import Unavailable
from services.measurements import Tally
from services.store.database import Database
from services.store.reports import body
from services.store.tables import ingress_rejections, log_about
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.bringing import Brought
from services.transports.kafka.ingress.reading import GROUP, Reader

ALARM_S = 300.0
"""How long an alarm stands in the report; its log line stays."""

_words = structlog.get_logger("ingress")


class Standing:
    """What one ingress says about itself. Written by its own thread, read by the reporter's."""

    def __init__(self, database: Database, cluster: Cluster) -> None:
        self.database = database
        self.cluster = cluster
        self.tally = Tally("ingress")
        self.reader: Reader | None = None
        self.stopping = False
        self.trouble: str | None = None
        self._alarm: tuple[float, str] = (0.0, "")
        self._worked = -ALARM_S

    def log_id(self) -> str:
        """The id of the log that we bring events into. Raises Unavailable."""
        with self.database.connect() as connection:
            return str(connection.execute(select(log_about.c.log_id)).scalar_one())

    def count(self, brought: Brought, size: int, seconds: float) -> None:
        """A batch is in the log."""
        for outcome, number in brought.outcomes.items():
            self.tally.add("lodestone_ingress_messages_total", number, outcome)
        self.tally.add("lodestone_ingress_bytes_total", size)
        self.tally.timed("lodestone_ingress_batch_duration_seconds", seconds)
        self._fine()

    def shared_anew(self) -> None:
        """The group shared its partitions out anew."""
        self.tally.add("lodestone_ingress_rebalances_total")

    def placed(self, reader: Reader) -> None:
        """We know where we are in every partition that is ours."""
        _words.info("reading", partitions=len(reader.places), group=self.cluster.name(GROUP))
        self._fine()

    def _fine(self) -> None:
        self._worked = time.monotonic()
        if self.trouble is not None:
            _words.info("goes on", after=self.trouble)
            self.trouble = None

    def worked_lately(self) -> bool:
        """Whether anything went well within the last minute."""
        return time.monotonic() - self._worked < 60.0

    def in_trouble(self, detail: str) -> None:
        """Something is in the way; said once, however often it is tried."""
        if self.trouble != detail:
            _words.warning("waiting", reason=detail)
        self.trouble = detail

    def alarm(self, detail: str) -> None:
        """Something is wrong that nobody mends by waiting, though we go on."""
        self.tally.add("lodestone_ingress_offset_alarms_total")
        self.warn(detail)

    def warn(self, detail: str) -> None:
        """The same of what is not about offsets."""
        _words.error("alarm", reason=detail)
        self._alarm = (time.monotonic(), detail)

    def says(self) -> dict[str, Any]:
        """The report."""
        state = "stopping" if self.stopping else "waiting" if self.trouble or not self.reader else "working"
        since, alarm = self._alarm
        standing = alarm if alarm and time.monotonic() - since < ALARM_S else None
        return body(state, self.trouble or standing, self.figures())

    def figures(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        """Everything counted, with lag and offset of each partition that is ours."""
        tally, reader = self.tally, self.reader
        for name in ("kafka_consumergroup_lag", "kafka_consumergroup_current_offset"):
            tally.forget(name)
        paused = False
        lags = {} if reader is None else reader.lag()
        for at, lag in lags.items():
            labels = (self.cluster.name(GROUP), at.topic, str(at.partition))
            tally.set("kafka_consumergroup_lag", lag, *labels)
            place = reader.places.get(at) if reader else None
            tally.set("kafka_consumergroup_current_offset", (place.next or 0) if place else 0, *labels)
        paused = bool(reader and reader.paused)
        tally.set("lodestone_ingress_partitions", 0 if paused else len(lags), "read")
        tally.set("lodestone_ingress_partitions", len(lags) if paused else 0, "paused")
        try:
            with self.database.connect() as connection:
                waiting = connection.execute(select(func.count()).select_from(ingress_rejections)).scalar_one()
            tally.set("lodestone_ingress_rejections_waiting", waiting)
        except Unavailable:
            pass  # as it was
        return tally.figures()
