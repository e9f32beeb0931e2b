"""The worker: folds and decides, turn after turn, until it is told to stop."""

import threading
from typing import Protocol

import structlog

from events.errors import Unavailable, UnknownType
from services.store.projecting.projector import Projector

IDLE_S = 0.1
"""How long to rest when there was nothing to do; polling is the truth."""
TROUBLE_S = 2.0

_words = structlog.get_logger("worker")


class Concluding(Protocol):
    """What concludes from the folded state (`services.engine.decider.Decider`)."""

    def decide_once(self) -> int:
        """One turn; how many events were appended."""


class Worker:
    """One worker; any number may run against one database, a lease decides who folds."""

    def __init__(self, projector: Projector, decider: Concluding | None) -> None:
        self.projector = projector
        self.decider = decider
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop`; a database that is away is waited for, everything else is logged and tried again.

        Raises UnknownType at an event of a newer release: no other try of this release would read it.
        """
        prepared = False
        while not self.stopping.is_set():
            try:
                if not prepared:
                    self.projector.prepare()
                    prepared = True
                busy = self.turn()
            except Unavailable as error:
                _words.warning("waiting for the database", reason=error.detail)
                self.stopping.wait(TROUBLE_S)
            except UnknownType:
                raise
            except Exception as error:
                # The outer loop outlives anything; what failed was rolled back and is tried again.
                _words.error("turn failed", error=f"{type(error).__name__}: {error}", exc_info=True)
                self.stopping.wait(TROUBLE_S)
            else:
                if not busy:
                    self.stopping.wait(IDLE_S)

    def turn(self) -> bool:
        """Fold what is new, then conclude from it; whether anything was done."""
        moved = self.projector.catch_up()
        concluded = 0
        if self.decider is not None and self.projector.lease is not None:
            concluded = self.decider.decide_once()
        return bool(moved or concluded)

    def stop(self) -> None:
        """End after the turn at hand."""
        self.stopping.set()
