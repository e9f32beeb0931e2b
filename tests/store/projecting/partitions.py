"""The log as its topic's partitions hold it, and members that fold them: for the tests of sharing, without Kafka."""

from collections.abc import Sequence
from typing import Any

import orjson

from events.envelope import Recorded
from events.partitions import partition_of
from events.receive import receive
from projections.folds import all_projections
from services.store.log import Append, Log, wall_clock
from services.store.projecting.folding import newest
from services.store.projecting.pages import Moved
from services.store.projecting.shares import Share
from services.store.projecting.sharing import Page, Places, Sharing

SHARES = 3
DIVISIBLE = tuple(one for one in all_projections() if one.divisible)


def store(log: Log, posted: Sequence[dict[str, Any]], source: str = "/plant") -> list[Recorded]:
    """Append these events, as of this source; what was stored, upcast."""
    before = log.head()
    text = orjson.dumps(list(posted)).replace(b'"/plant"', orjson.dumps(source))
    log.append(Append(tuple(receive(event).draft for event in orjson.loads(text))))
    return [newest(event) for event in log.read(before, 100_000)]


class Topic:
    """One partition for each share; offsets have holes, as after commit markers."""

    def __init__(self, events: Sequence[Recorded], shares: int = SHARES) -> None:
        self.partitions: list[list[Recorded]] = [[] for _ in range(shares)]
        self.shares = shares
        for event in events:
            self.add(event)

    def add(self, event: Recorded) -> None:
        self.partitions[partition_of(event.partition_key, self.shares)].append(event)

    def page(self, share: int, offset: int, size: int) -> Page | None:
        """The next records of a partition at or after an offset; record n is at offset 2 n."""
        first = (offset + 1) // 2
        events = self.partitions[share][first : first + size]
        if not events:
            return None
        return Page(share, events, events[-1].position, 2 * (first + len(events)) - 1, first + len(events))


class Killed(RuntimeError):
    """The process ended in the middle."""


class Member(Sharing):
    """One process; `dies_after` so many projections of a page it is gone, before the commit."""

    dies_after = 2**62
    deluded = False
    """Whether it lives on and takes for committed what was not: a server that crashed had not flushed it yet."""

    def __init__(self, log: Log, topic: Topic) -> None:
        super().__init__(log.database, log, DIVISIBLE, wall_clock)
        self.topic = topic
        self.believed: dict[int, Places] = {}

    def _share(self, *found: Any) -> Any:
        moved = super()._share(*found)
        self.dies_after -= 1
        if not self.dies_after:
            raise Killed
        return moved

    def assigned(self, share: int) -> None:
        self.believed |= self.places([share])

    def step(self, share: int, size: int) -> bool:
        """Fold one page from where it believes to be; whether there was one. What it believes may be long untrue."""
        if share not in self.believed:
            self.assigned(share)
        offset = min(place.next_offset or 0 for place in self.believed[share].values())
        page = self.topic.page(share, offset, size)
        if page is None:
            return False
        try:
            self.believed[share] = self.fold(page, self.believed[share])
        except Moved:
            self.assigned(share)
        except Killed:
            if not self.deluded:
                raise
            there = self.believed[share]
            self.believed[share] = {
                name: Share(share, page.position, page.next_offset, page.sequence) for name in there
            }
        return True
