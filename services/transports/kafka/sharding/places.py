"""The place in one partition: what was read of it, whether records follow without a gap, and the page they make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from events import catalogue
from events.envelope import Recorded, decode
from events.errors import Refused, UnknownType
from services.store.projecting.folding import Releases, newest
from services.store.projecting.sharing import Page, Places
from services.transports.kafka.relay.records import EPOCH, POSITION, SEQUENCE

Standing = Callable[[int, int], int]
"""From (position, epoch) the last position at or below it that the log as it is now shares with that epoch."""


class TopicGap(Refused):
    """Records of a partition are not one after the other: an alarm, and never passed over."""


@dataclass(slots=True)
class Place:
    """How far one partition was read, as far as this process knows.

    `believed` are the shares' rows as they were last seen; `sequence` the number of the last record read, None at the
    start of the partition. `again`: it was begun from the start because records did not follow each other.
    """

    partition: int
    believed: Places
    offset: int | None
    sequence: int | None
    again: bool = False

    @classmethod
    def of(cls, partition: int, believed: Places) -> "Place":
        """Where the share that was read least goes on."""
        first = min(believed.values(), key=lambda share: -1 if share.next_offset is None else share.next_offset)
        return cls(partition, believed, first.next_offset, first.sequence)

    @property
    def folded(self) -> int:
        """Up to which position every projection has folded this partition."""
        return min(share.position for share in self.believed.values())


@dataclass(frozen=True, slots=True)
class Read:
    """A page of a partition, and why it ends where it does: an event of a newer release; None: records end there."""

    page: Page
    stopped: UnknownType | None


def read(place: Place, records: Sequence[Any], standing: Standing, release_of: Releases) -> Read:
    """The page that these records make. Raises TopicGap when they do not follow what was read before.

    Records of an epoch beyond where a later one forked off are nothing of this log any more. What is folded already is
    not decoded.
    """
    events: list[Recorded] = []
    folded, sequence, position = place.folded, place.sequence, 0
    for record in records:
        told = dict(record.headers)
        at, number, epoch = int(told[POSITION]), int(told[SEQUENCE]), int(told[EPOCH])
        shared = standing(at, epoch)
        _check(record, sequence, number, folded if place.sequence is None else 0, shared)
        if shared == at and at > folded:
            event = decode(at, record.value)
            if not catalogue.known(event.type):
                return Read(Page(place.partition, events, at - 1, record.offset, sequence), _unknown(event, release_of))
            events.append(newest(event))
        sequence, position = number, max(position, shared)
    return Read(Page(place.partition, events, position, records[-1].offset + 1, sequence), None)


def _check(record: Any, before: int | None, number: int, folded: int, shared: int) -> None:
    follows = (number == 1 or shared <= folded) if before is None else number == before + 1
    if not follows:
        came = "the first one" if before is None else f"number {before}"
        raise TopicGap(
            f"Partition {record.partition} of {record.topic} has number {number} at offset {record.offset} after "
            f"{came}: records are missing or repeated."
        )


def _unknown(event: Recorded, release_of: Releases) -> UnknownType:
    try:
        newest(event, release_of)
    except UnknownType as error:
        return error
    raise AssertionError("the catalogue does not know it")
