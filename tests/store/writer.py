"""A writing process for the tests of concurrency: `python -m tests.store.writer URL NAME REQUESTS`.

It appends requests of one to three events with fixed ids, with random delays and rollbacks while it holds the lock,
and prints `id status position` for each acknowledged event. With 0 requests it takes the lock, says so and waits.
A fourth argument is for how many seconds it holds the lock once, in the middle of its requests.
"""

import random
import sys
import time
from datetime import datetime

from events.errors import Unavailable
from services.store.database import Database
from services.store.log import Append, Log, wall_clock
from tests.store.facts import draft


class ChangedItsMind(Exception):
    """A writer that rolls back while it holds the lock."""


def hesitant_clock() -> datetime:
    """The log asks for the time while it holds the lock."""
    time.sleep(random.choice([0.0, 0.0, 0.001, 0.01]))
    if random.random() < 0.15:
        raise ChangedItsMind
    return wall_clock()


class LongClock:
    """Hesitant, and once, at the given question, for many seconds."""

    def __init__(self, at: int, seconds: float) -> None:
        self.left = at
        self.seconds = seconds

    def __call__(self) -> datetime:
        self.left -= 1
        if self.left == 0:
            time.sleep(self.seconds)
            say("held", f"{self.seconds:g}", 0)
        return hesitant_clock()


def waiting_clock() -> datetime:
    """Say that the lock is held, and hold it until somebody answers."""
    say("locked")
    sys.stdin.readline()
    return wall_clock()


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def append_some(log: Log, name: str, requests: int) -> None:
    """Append every request until it is acknowledged, each event in a stream shared by all writers."""
    for number in range(requests):
        drafts = tuple(
            draft("feeds/shared", versioned=True, id=f"{name}-{number}-{part}") for part in range(1 + number % 3)
        )
        while True:
            try:
                outcomes = log.append(Append(drafts))
            except ChangedItsMind:
                continue
            break
        for sent, outcome in zip(drafts, outcomes, strict=True):
            say(sent.id, outcome.status, outcome.position)
        time.sleep(random.random() * 0.005)


def hold_the_lock(log: Log) -> None:
    """Take the lock and stop there."""
    try:
        log.append(Append((draft(id="held"),)))
        say("accepted")
    except Unavailable:
        say("unavailable")


if __name__ == "__main__":
    url, name, requests = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if len(sys.argv) > 4:
        append_some(Log(Database(url, pool_size=1), LongClock(requests // 2, float(sys.argv[4]))), name, requests)
    elif requests:
        append_some(Log(Database(url, pool_size=1), hesitant_clock), name, requests)
    else:
        hold_the_lock(Log(Database(url, pool_size=1), waiting_clock))
