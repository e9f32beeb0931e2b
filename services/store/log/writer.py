"""The writer: one thread of a process that appends for all of them, as many requests in one commit as came together."""

import copy
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg

from events.errors import DomainError, Unavailable
from services.store.database import Database, prepared, unavailable
from services.store.log import grouping
from services.store.log.appending import Append, Outcome
from services.store.log.grouping import Answer

Clock = Callable[[], datetime]
GATHER_S = 0.0003
"""How long a group waits for as many requests as the last one had."""
GROUP = 4_000
"""Events after which a group is full."""
WAITING = 50_000
"""Events that may wait for the writer; who comes then waits for room."""
PATIENCE_S = 5.0
"""How long to wait for room before the caller is sent away."""


def wall_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Ticket:
    """One request in the queue, and its answer once `done` is released."""

    __slots__ = ("answer", "done", "request", "size")

    def __init__(self, request: Append) -> None:
        self.request = request
        self.size = max(1, len(request.drafts))
        self.answer: tuple[Outcome, ...] | BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def tell(self, answer: tuple[Outcome, ...] | BaseException) -> None:
        self.answer = answer
        self.done.release()


class Writer:
    """The queue, its thread (started by the first request) and the thread's own connection.

    After a fork the child has a queue, a thread and a connection of its own.
    """

    def __init__(self, database: Database, clock: Clock, *, waiting: int = WAITING, patience_s: float = PATIENCE_S):
        self.database = database
        self.clock = clock
        self.waiting_limit = waiting
        self.patience_s = patience_s
        self.closed = False
        self.observed: Callable[[int, float], None] = lambda events, seconds: None
        """Told of each commit: how many events it held, and how long it took."""
        self._last = datetime.min.replace(tzinfo=UTC)
        self._begin_anew()
        _writers.add(self)

    def _begin_anew(self) -> None:
        self._queue: deque[Ticket] = deque()
        self._wanted = 1
        self._ending = False
        self._bell = threading.Lock()
        self._bell.acquire()
        self.waiting = 0
        self._room = threading.Condition()
        self.thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._look_first = False

    def append(self, request: Append) -> tuple[Outcome, ...]:
        """Hand a request over and wait for its answer. Raises what its answer is, Unavailable when there is no room."""
        ticket = Ticket(request)
        with self._room:
            self._wait_for_room(ticket.size)
            self.waiting += ticket.size
            self._queue.append(ticket)
            if len(self._queue) in (1, self._wanted):
                self._ring()
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                self.thread.start()
        ticket.done.acquire()
        answer = ticket.answer
        if isinstance(answer, BaseException):
            raise answer
        assert answer is not None
        return answer

    def _wait_for_room(self, size: int) -> None:
        """A request larger than the queue still finds room in an empty one."""
        deadline = time.monotonic() + self.patience_s
        while not self.closed and self.waiting and self.waiting + size > self.waiting_limit:
            if not self._room.wait(deadline - time.monotonic()):
                raise Unavailable(
                    f"{self.waiting} events wait to be written, and no room came up in {self.patience_s:g} s. "
                    "Nothing of this was stored; try again, more slowly.",
                    retry_after_s=1,
                )
        if self.closed:
            raise Unavailable("This process is stopping and takes no more events; try again.", retry_after_s=1)

    def close(self) -> None:
        """Finish what was accepted, then refuse what comes later. Does nothing the second time."""
        with self._room:
            self.closed = True
            self._room.notify_all()
            thread = self.thread
        self.finish()
        if thread is not None:
            thread.join()

    def finish(self) -> None:
        """Let the thread end after what is in the queue, without waiting for it."""
        self._ending = True
        self._ring()

    def _ring(self) -> None:
        """Wake the thread: for the first request, and for as many as last time, but not for each between."""
        with suppress(RuntimeError):  # rung already
            self._bell.release()

    def _run(self) -> None:
        try:
            while self._queue or not self._ending:
                if not self._queue:
                    self._bell.acquire()
                self._gather()
                if group := self._taken():
                    self._wanted = len(group)
                    self._answer(group)
        finally:
            self._let_go()

    def _gather(self) -> None:
        """Wait up to 0.3 ms for as many requests as last time."""
        deadline = time.perf_counter() + GATHER_S
        while 0 < len(self._queue) < self._wanted and not self._ending:
            rest = deadline - time.perf_counter()
            if rest <= 0 or not self._bell.acquire(timeout=rest):
                return

    def _taken(self) -> list[Ticket]:
        """The next group from the queue."""
        group: list[Ticket] = []
        size = 0
        while self._queue and size < GROUP:
            group.append(self._queue.popleft())
            size += group[-1].size
        return group

    def _answer(self, group: Sequence[Ticket]) -> None:
        """Answer every ticket, whatever happens: what breaks a group is found by writing its requests one by one."""
        try:
            answers: Sequence[Answer | BaseException] = self._written([ticket.request for ticket in group])
        except Unavailable as error:
            answers = [copy.copy(error) for _ in group]
        except Exception as error:
            if len(group) > 1:
                for ticket in group:
                    self._answer([ticket])
                return
            answers = [error]
        with self._room:
            self.waiting -= sum(ticket.size for ticket in group)
            self._room.notify_all()
        for ticket, answer in zip(group, answers, strict=True):
            ticket.tell(answer)

    def _written(self, requests: Sequence[Append]) -> Sequence[Answer | BaseException]:
        began = time.perf_counter()
        try:
            with self.database.guarded(), prepared():
                answers = self._tried(requests)
            self.observed(sum(len(request.drafts) for request in requests), time.perf_counter() - began)
            return answers
        except grouping.Lost as lost:
            self._let_go()
            return [self._resolved(*pair) for pair in zip(requests, lost.answers, strict=True)]

    def _tried(self, requests: Sequence[Append]) -> Sequence[Answer]:
        connection, head = self._locked(partial(grouping.encode_first, requests))
        found: grouping.Found | None = None
        try:
            found = grouping.write(connection, head, requests, self._now, look_first=self._look_first)
        except psycopg.errors.UniqueViolation:
            if self._look_first:
                raise
        except psycopg.Error as error:
            if connection.closed:
                raise unavailable(error) from error
            raise
        finally:
            if found is None:
                self._roll_back(connection)
        if found is None:
            self._look_first = True
            return self._tried(requests)
        self._look_first = found.repeats
        return found.answers

    def _locked(self, meanwhile: Callable[[], None]) -> tuple[psycopg.Connection[Any], int]:
        """Our connection with the lock held, and the head; one that broke since last time is made anew."""
        if self._connection is not None:
            try:
                return self._connection, grouping.lock(self._connection, meanwhile)
            except psycopg.Error:
                if not self._connection.closed:
                    self._roll_back(self._connection)
                    raise
                self._let_go()
        self._connection = grouping.connected(self.database)
        return self._connection, grouping.lock(self._connection, meanwhile)

    def _resolved(self, request: Append, answer: Answer) -> Answer | BaseException:
        if isinstance(answer, DomainError):
            return answer
        try:
            return grouping.looked_up(self.database, request, answer)
        except Unavailable as error:
            return error

    def _now(self) -> datetime:
        """The time of a group; never before that of the last one."""
        self._last = max(self.clock(), self._last)
        return self._last

    def _roll_back(self, connection: psycopg.Connection[Any]) -> None:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        if connection.closed:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_writers):
        writer._begin_anew()


os.register_at_fork(after_in_child=_after_fork)
