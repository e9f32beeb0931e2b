"""How a shard worker stands: its figures, its troubles and its alarms, for its report and its log lines."""

import time
from typing import Any

import structlog

from services.measurements import Tally
from services.store.reports import body

ALARM_S = 300.0
"""How long an alarm stands in the report; its log line stays."""

_words = structlog.get_logger("shards")


class Figures:
    """What one worker says about its shares. Written by its own thread, read by the reporter's."""

    def __init__(self) -> None:
        self.tally = Tally("shard")
        self.stopping = False
        self.trouble: str | None = None
        self._alarm: tuple[float, str] = (0.0, "")

    def reading(self, group: str, partitions: list[int]) -> None:
        """These partitions are ours now."""
        _words.info("reading", partitions=partitions, group=group)
        for name in ("lodestone_shard_position", "kafka_consumergroup_lag", "kafka_consumergroup_current_offset"):
            self.tally.forget(name)

    def folded(self, events: int) -> None:
        """So many more."""
        self.tally.add("lodestone_shard_events_folded_total", events)

    def at(self, group: str, topic: str, partition: int, *, position: int, offset: int, end: int) -> None:
        """How far the share of a partition is."""
        labels = (group, topic, str(partition))
        self.tally.set("lodestone_shard_position", position, str(partition))
        self.tally.set("kafka_consumergroup_current_offset", offset, *labels)
        self.tally.set("kafka_consumergroup_lag", max(0, end - offset), *labels)

    def well(self) -> None:
        """Nothing is in the way any more."""
        if self.trouble is not None:
            _words.info("goes on", after=self.trouble)
            self.trouble = None

    def in_trouble(self, detail: str) -> None:
        """Something is in the way; said once, however often it is tried."""
        if self.trouble != detail:
            _words.warning("waiting", reason=detail)
        self.trouble = detail

    def alarm(self, detail: str) -> None:
        """Something is wrong that nobody mends by waiting, though we go on."""
        _words.error("alarm", reason=detail)
        self._alarm = (time.monotonic(), detail)

    def says(self) -> dict[str, Any]:
        """The report."""
        state = "stopping" if self.stopping else "waiting" if self.trouble else "working"
        since, alarm = self._alarm
        standing = alarm if alarm and time.monotonic() - since < ALARM_S else None
        return body(state, self.trouble or standing, self.tally.figures())
