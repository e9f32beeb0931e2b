"""The worker: folds and decides, turn after turn, and seals beside it, until it is told to stop."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError

from events.errors import DomainError, Unavailable, UnknownType
from services.measurements import Tally
from services.store import leases
from services.store.projecting.projector import Projector
from services.store.reports import Reporter, body
from services.store.sealing.ledger.parking import Parkings
from services.store.sealing.pace import Pace
from services.store.sealing.sealer import Sealer

IDLE_S = 0.1
"""How long to rest when there was nothing to do; polling is the truth."""
TROUBLE_S = 2.0
SEAL_IDLE_S = 0.2
TELL_S = 1.0
"""How often is looked whether the log says what was set aside."""
LAST_S = 15.0
"""How long the end waits for the last seal."""

_words = structlog.get_logger("worker")


class Concluding(Protocol):
    """What concludes from the folded state (`services.engine.decider.Decider`)."""

    def decide_once(self) -> int:
        """One turn; how many events were appended."""


class Role(Protocol):
    """Something that a process does until it is told to stop."""

    def run(self) -> None:
        """Until `stop`; an error ends it, and it may be run again."""

    def stop(self) -> None:
        """End soon, with what was begun finished."""


class Beside:
    """A role in a thread of its own, beside whatever else the process does; begun again when it failed."""

    def __init__(self, name: str, role: Role) -> None:
        self.name = name
        self.role = role
        self.ended: UnknownType | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()
        self.role.stop()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.role.run()
            except UnknownType as error:  # no other try of this release would read it
                self.ended = error
                self.on_end()
                return
            except Exception as error:
                # The outer loop outlives anything; what was not finished is begun again from what is stored.
                _words.error(f"{self.name} failed", error=f"{type(error).__name__}: {error}", exc_info=True)
                self._stopping.wait(TROUBLE_S)


class Together:
    """The roles of one process: one in the main thread, if it folds at all, and others beside it."""

    def __init__(self, main: Role | None, beside: Sequence[Beside]) -> None:
        self.main = main
        self.beside = beside
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until `stop`, or until one ends at an event of a newer release: then all end. Raises that UnknownType."""
        for other in self.beside:
            other.on_end = self.stop
            other.start()
        try:
            if self.main is not None:
                self.main.run()
            else:
                self._stopping.wait()
        finally:
            self.stop()
            for other in self.beside:
                other.join()
        for other in self.beside:
            if other.ended is not None:
                raise other.ended

    def stop(self) -> None:
        """End soon, every one with what it began finished."""
        self._stopping.set()
        for role in (self.main, *self.beside):
            if role is not None:
                role.stop()


class _Told(Exception):
    """We were told to stop."""


class Worker:
    """One worker; any number may run against one database, leases decide who folds and who seals."""

    def __init__(self, projector: Projector, decider: Concluding | None, sealer: Sealer | None = None) -> None:
        self.projector = projector
        self.decider = decider
        self.sealer = sealer
        self.parkings = Parkings(projector.log)
        self.stopping = threading.Event()
        self.tally = Tally("worker")
        self.trouble: str | None = None
        self._began = time.monotonic()
        self._folded = threading.Event()
        self._told = -TELL_S

    def run(self) -> None:
        """Work until `stop`; a database that is away is waited for, everything else is logged and tried again.

        Raises UnknownType at an event of a newer release: no other try of this release would read it.
        """
        sealing = threading.Thread(target=self._seal, daemon=True)
        sealing.start()
        with Reporter(self.projector.database, "worker", self.projector.owner, self.says):
            try:
                self._work()
            finally:
                self._folded.set()
                sealing.join(LAST_S)
                with suppress(Unavailable, DBAPIError):
                    # Whoever waits for what we held need not wait until it expires.
                    leases.drop(self.projector.database, self.projector.owner)

    def says(self) -> dict[str, Any]:
        """What this worker reports about itself."""
        self.tally.set("lodestone_worker_turn_age_seconds", time.monotonic() - self._began)
        state = "working" if self.projector.lease is not None else "standby"
        if self.stopping.is_set() or self.trouble:
            state = "stopping" if self.stopping.is_set() else "waiting"
        return body(state, self.trouble, self.tally.figures())

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
                self._wait(error.detail)
            except UnknownType:
                raise
            except Exception as error:
                # The outer loop outlives anything; what failed was rolled back and is tried again.
                _words.error("turn failed", error=f"{type(error).__name__}: {error}", exc_info=True)
                self.tally.add("lodestone_worker_turns_failed_total")
                self._wait(f"A turn failed ({type(error).__name__}) and is tried again; the worker's log says more.")
            else:
                self.trouble = None
                if not busy:
                    self.stopping.wait(IDLE_S)

    def _wait(self, trouble: str) -> None:
        self.trouble = trouble
        self.stopping.wait(TROUBLE_S)

    def turn(self) -> bool:
        """Fold what is new, then conclude from it; whether anything was done."""
        self._began = time.monotonic()
        try:
            moved = self.projector.catch_up(progress=self._between)
        except _Told:
            return False
        self._tell()
        concluded = 0
        if self.decider is not None and self.projector.lease is not None and self.projector.whole:
            concluded = self.decider.decide_once()
        if not moved and not concluded:
            return False
        self.tally.add("lodestone_worker_events_folded_total", moved)
        self.tally.add("lodestone_worker_events_concluded_total", concluded)
        self.tally.timed("lodestone_worker_turn_duration_seconds", time.monotonic() - self._began)
        return True

    def _tell(self) -> None:
        """Say in the log what was set aside, and what no longer is; by whoever folds."""
        if self.projector.lease is not None and time.monotonic() - self._told >= TELL_S:
            with suppress(Unavailable):  # nothing may be appended now; it is told when something may
                self.parkings.tell()
            self._told = time.monotonic()

    def _between(self, position: int, wanted: int) -> None:
        """Between two pages of a long catch-up; what was folded until here is committed."""
        if self.stopping.is_set():
            raise _Told

    def stop(self) -> None:
        """End after the page at hand, or after the conclusions at hand."""
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
