"""How a member of a group stands: what is in its way, its alarms and its figures, for its report and its log lines."""

import time
from typing import Any

import structlog

from services.measurements import Tally
from services.store.reports import body

ALARM_S = 300.0
"""How long an alarm stands in the report; its log line stays."""


class Standing:
    """What one member says about itself. Written by its own thread, read by the reporter's."""

    def __init__(self, role: str, words: str) -> None:
        self.tally = Tally(role)
        self.stopping = False
        self.trouble: str | None = None
        self.words = structlog.get_logger(words)
        self._alarm: tuple[float, str] = (0.0, "")

    def well(self) -> None:
        """Nothing is in the way any more."""
        if self.trouble is not None:
            self.words.info("goes on", after=self.trouble)
            self.trouble = None

    def in_trouble(self, detail: str) -> None:
        """Something is in the way; said once, however often it is tried."""
        if self.trouble != detail:
            self.words.warning("waiting", reason=detail)
        self.trouble = detail

    def alarm(self, detail: str) -> None:
        """Something is wrong that nobody mends by waiting, though we go on."""
        self.words.error("alarm", reason=detail)
        self._alarm = (time.monotonic(), detail)

    def idle(self) -> bool:
        """Whether nothing can be worked on, for a reason that need not be told."""
        return False

    def measure(self) -> None:
        """Set what is measured only when somebody asks."""

    def says(self) -> dict[str, Any]:
        """The report."""
        state = "stopping" if self.stopping else "waiting" if self.trouble or self.idle() else "working"
        since, alarm = self._alarm
        standing = alarm if alarm and time.monotonic() - since < ALARM_S else None
        self.measure()
        return body(state, self.trouble or standing, self.tally.figures())
