"""Waiting: something is looked at until it is so, and long enough for a machine that has ten other things to do."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 240.0
"""What hangs is told from what is slow; all that is well comes long before, and nobody waits for the rest."""
LONGEST_REST_S = 0.1
T = TypeVar("T")


def until(true: Callable[..., T | None], words: Callable[[], str] = lambda: "it did not come true") -> T:
    """Look until it is something, and return that. Raises AssertionError with these words after a long time.

    What is looked at shall be the thing itself: a report or a figure may be from before.
    """
    deadline, rest = time.monotonic() + PATIENCE_S, 0.002
    while not (found := true()):
        assert time.monotonic() < deadline, words()
        time.sleep(rest)
        rest = min(2 * rest, LONGEST_REST_S)
    return found
