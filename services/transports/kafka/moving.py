"""Moving: whether a client brings what is there, partition by partition; one that stands still is taken for stuck.

It was seen after two rebalances in a row on a busy machine: the client polls, and never fetches some partition again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and for how many polls, a partition may stand still where more is: both, for a poll may be slow.

    As many polls bring all that a client may have fetched of the others before this one has its turn.
    """

    seconds: float
    polls: int = 50


@dataclass(slots=True)
class Moving:
    """Since when, in seconds and in polls, each partition that is not at its end stands where it is."""

    patience: Patience
    clock: Callable[[], float] = time.monotonic
    polls: int = 0
    _last: dict[object, tuple[int, float, int]] = field(default_factory=dict)

    def polled(self) -> None:
        """The client was asked once more for what is there."""
        self.polls += 1

    def forget(self) -> None:
        """Nothing was to be brought, or it is placed anew: all begin from here."""
        self._last.clear()

    def stuck(self, places: Mapping[Key, tuple[int, int]]) -> Key | None:
        """Of these partitions with the offset that is read next and their end, one that stands still before its end."""
        now, found = self.clock(), None
        for key, (offset, end) in places.items():
            before, since, polls = self._last.get(key, (None, now, self.polls))
            if offset >= end:
                self._last.pop(key, None)
            elif offset != before:
                self._last[key] = (offset, now, self.polls)
            elif now - since > self.patience.seconds and self.polls - polls >= self.patience.polls:
                found = key
        return found
