"""Cursors: how far each partition was brought into the log, kept in the log's database and moved with the append."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafka.structs import TopicPartition
from sqlalchemy import select

from services.store.database import Database
from services.store.tables import log_cursors

UNKNOWN = "-"
"""In place of a topic's own id, which brokers before 2.8 do not tell."""


@dataclass(slots=True)
class Place:
    """Where we are in a partition: the cursor's name, and the next offset (None: nothing was brought yet)."""

    name: str
    next: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """Where to read a partition from, and what is alarming about it, if anything is."""

    place: Place
    start: int
    alarm: str | None = None


def cursor_name(partition: TopicPartition, topic_id: str) -> str:
    """The name of a partition's cursor. A topic that is made anew has another id, and so a cursor of its own."""
    return f"kafka {partition.topic} {topic_id} {partition.partition}"


def stored(database: Database, partitions: Iterable[TopicPartition]) -> dict[str, int]:
    """Every cursor of these topics, by name. Raises Unavailable."""
    topics = {partition.topic for partition in partitions}
    with database.connect() as connection:
        query = select(log_cursors.c.name, log_cursors.c.next)
        rows = connection.execute(query.where(log_cursors.c.name.startswith("kafka ", autoescape=True)))
        return {row.name: row.next for row in rows if row.name.split(" ")[1] in topics}


def find(partition: TopicPartition, topic_id: str, cursors: Mapping[str, int], first: int, end: int) -> Found:
    """Where to go on in this partition, whose messages reach from `first` to before `end`."""
    name = cursor_name(partition, topic_id)
    place = Place(name, cursors.get(name))
    where = f"{partition.topic}, partition {partition.partition}"
    if place.next is None:
        earlier = [
            offset
            for other, offset in cursors.items()
            if other.split(" ")[1::2] == [partition.topic, str(partition.partition)] and offset
        ]
        if not earlier:
            return Found(place, first)
        return Found(
            place,
            first,
            f"{where}: the topic was made anew since {max(earlier)} messages of it were taken in. It is read from its "
            "start; events that are stored already are duplicates. What nobody read of the old topic is gone: ask the "
            "benches to send it again.",
        )
    if place.next > end:
        return Found(
            place,
            first,
            f"{where}: messages were taken in up to offset {place.next}, and the topic ends at {end}: it was made "
            "anew, or lost its end. It is read from its start; events that are stored already are duplicates.",
        )
    if place.next < first:
        return Found(
            place,
            first,
            f"{where}: the messages from offset {place.next} to {first - 1} were deleted before they were taken in "
            "(retention.ms, retention.bytes). Ask the benches to send what they published in that time again.",
        )
    return Found(place, place.next)
