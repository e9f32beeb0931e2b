"""How an ingress stands: what it brought, how far it is, and what it still has to tell."""

import time

from sqlalchemy import func, select

from events.errors import Unavailable
from services.store.database import Database
from services.store.tables import ingress_rejections
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.bringing import Brought
from services.transports.kafka.ingress.reading import GROUP, Reader
from services.transports.kafka.standing import Standing

LATELY_S = 60.0


class Figures(Standing):
    """What one ingress says about itself."""

    def __init__(self, database: Database, cluster: Cluster) -> None:
        super().__init__("ingress", "ingress")
        self.database = database
        self.cluster = cluster
        self.reader: Reader | None = None
        self._worked = -LATELY_S

    def count(self, brought: Brought, size: int, seconds: float) -> None:
        """A batch is in the log."""
        for outcome, number in brought.outcomes.items():
            self.tally.add("lodestone_ingress_messages_total", number, outcome)
        self.tally.add("lodestone_ingress_bytes_total", size)
        self.tally.timed("lodestone_ingress_batch_duration_seconds", seconds)
        self.well()

    def shared_anew(self) -> None:
        """The group shared its partitions out anew."""
        self.tally.add("lodestone_ingress_rebalances_total")

    def placed(self, reader: Reader) -> None:
        """We know where we are in every partition that is ours."""
        self.words.info("reading", partitions=len(reader.places), group=self.cluster.name(GROUP))
        self.well()

    def well(self) -> None:
        """Nothing is in the way any more; and when that was so is kept."""
        self._worked = time.monotonic()
        super().well()

    def worked_lately(self) -> bool:
        """Whether anything went well within the last minute."""
        return time.monotonic() - self._worked < LATELY_S

    def misplaced(self, detail: str) -> None:
        """An alarm of a stored offset that the topic does not have: counted."""
        self.tally.add("lodestone_ingress_offset_alarms_total")
        self.alarm(detail)

    def idle(self) -> bool:
        """Whether we are in no group yet."""
        return self.reader is None

    def measure(self) -> None:
        """Lag and offset of each partition that is ours, and how many refusals Kafka was not told of yet."""
        tally, reader = self.tally, self.reader
        for name in ("kafka_consumergroup_lag", "kafka_consumergroup_current_offset"):
            tally.forget(name)
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
