"""A group made on purpose: the first request stays in the writer until the others stand in its queue."""

import threading
from collections.abc import Sequence
from datetime import datetime

from services.store.database import Database
from services.store.log import Append, Log, Outcome, wall_clock
from tests.store.facts import draft
from tests.waiting import PATIENCE_S, until

Answer = tuple[Outcome, ...] | BaseException


class Gate:
    """A clock that the log asks while it holds the lock: it stands still while it is closed."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        assert self.open.wait(PATIENCE_S)
        return wall_clock()


def in_one_group(database: Database, requests: Sequence[Append]) -> list[Answer]:
    """What becomes of these requests when they are written together, after one event of their own."""
    gate = Gate()
    log = Log(database, gate)
    gate.open.clear()
    first = threading.Thread(target=log.append, args=(Append((draft(),)),))
    first.start()
    until(lambda: gate.asked == 1)
    answers: list[Answer | None] = [None] * len(requests)

    def ask(at: int) -> None:
        try:
            answers[at] = log.append(requests[at])
        except BaseException as error:  # noqa: BLE001 - it is the answer
            answers[at] = error

    threads = []
    for at in range(len(requests)):
        threads.append(threading.Thread(target=ask, args=(at,)))
        threads[-1].start()
        until(lambda queued=at + 2: log.writer.waiting >= queued)
    gate.open.set()
    for thread in (first, *threads):
        thread.join(PATIENCE_S)
    log.close()
    assert None not in answers
    return [answer for answer in answers if answer is not None]
