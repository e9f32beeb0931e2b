"""The worker: folds and decides, turn after turn, and seals beside it, until it is told to stop."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from events.errors import DomainError, Unavailable, UnknownType
from services.store.projecting.projector import Projector
from services.store.sealing.pace import Pace
from services.store.sealing.sealer import Sealer

IDLE_S = 0.1
"""How long to rest when there was nothing to do; polling is the truth."""
TROUBLE_S = 2.0
SEAL_IDLE_S = 0.2
LAST_S = 15.0
"""How long the end waits for the last seal."""

_words = structlog.get_logger("worker")


class Concluding(Protocol):
    """What concludes from the folded state (`services.engine.decider.Decider`)."""

    def decide_once(self) -> int:
        """One turn; how many events were appended."""


class Worker:
    """One worker; any number may run against one database, leases decide who folds and who seals."""

    def __init__(self, projector: Projector, decider: Concluding | None, sealer: Sealer | None = None) -> None:
        self.projector = projector
        self.decider = decider
        self.sealer = sealer
        self.stopping = threading.Event()
        self._folded = threading.Event()

    def run(self) -> None:
        """Work until `stop`; a database that is away is waited for, everything else is logged and tried again.

        Raises UnknownType at an event of a newer release: no other try of this release would read it.
        """
        sealing = threading.Thread(target=self._seal, daemon=True)
        sealing.start()
        try:
            self._work()
        finally:
            self._folded.set()
            sealing.join(LAST_S)

    def _work(self) -> None:
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

    def _seal(self) -> None:
        """Seal beside the folds until they ended, then what is left."""
        if self.sealer is None:
            return
        pace = Pace(self.sealer)
        while not self._folded.is_set():
            self._folded.wait(SEAL_IDLE_S if self._sealed(pace.turn) else TROUBLE_S)
        self._sealed(self.sealer.finish)

    def _sealed(self, step: Callable[[], None]) -> bool:
        """One step of the sealer; a refusal is said and tried again, for nothing waits for a seal."""
        try:
            step()
        except DomainError as error:
            _words.warning("not sealed", reason=error.detail)
            return False
        except Exception as error:
            _words.error("sealing failed", error=f"{type(error).__name__}: {error}", exc_info=True)
            return False
        return True
