"""The pace of sealing: at once when little comes, not too often under load, anchored when the log stands still."""

import time
from collections.abc import Callable

from services.store.sealing.sealer import Sealer

SEAL_S = 0.5
"""Not more often than this; a signature and a commit cover whatever came in between."""
STILL_S = 1.0
"""A log that stands still for so long is anchored."""
ANCHOR_S = 10.0
"""A log that does not stand still is anchored so often."""


RETRY_S = 1.0
"""How often to ask for the lease while another process has it."""


class Pace:
    """Calls the sealer when it is time; `clock` counts seconds from anywhere."""

    def __init__(self, sealer: Sealer, clock: Callable[[], float] = time.monotonic) -> None:
        self.sealer = sealer
        self.clock = clock
        self._head = -1
        self._moved = self._sealed = self._asked = float("-inf")
        self._anchored = clock()
        self._news = True

    def turn(self) -> None:
        """Seal, and anchor, what is due now."""
        now = self.clock()
        if not self._ours(now):
            self._head, self._news = -1, True
            return
        head = self.sealer.log.head()
        if head != self._head and now - self._sealed >= SEAL_S:
            self._news |= self.sealer.seal() > 0
            self._sealed = self._moved = now
            self._head = head
        if self._news and self._head == head and self._due(now):
            self.sealer.anchor()
            self._anchored, self._news = now, False

    def _ours(self, now: float) -> bool:
        if self.sealer.lease is None and now - self._asked < RETRY_S:
            return False
        self._asked = now
        return self.sealer.hold()

    def _due(self, now: float) -> bool:
        return now - self._moved >= STILL_S or now - self._anchored >= ANCHOR_S
