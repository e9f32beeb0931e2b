"""One worker of the group: folds what its partitions bring, says how far they are, and hands them over and back."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from events.errors import DomainError, Refused, Unavailable, UnknownType
from services.store import releases
from services.store.projecting.pages import Moved
from services.store.projecting.projector import Projector
from services.store.reports import Reporter
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.groups import check_group, members
from services.transports.kafka.moving import Moving, Patience
from services.transports.kafka.relay.starting import standing
from services.transports.kafka.sharding.figures import Figures
from services.transports.kafka.sharding.following import Following
from services.transports.kafka.sharding.places import Place, TopicGap, read
from services.transports.kafka.sharding.reader import GROUP, Reader

POLL_MS = 100
SETTLE_S = 0.5
"""How often is looked how far the shares are where nothing came that could have moved them."""
PATIENCE = Patience(10.0)
LOOK_S = 2.0
"""How often is looked whether what was given back to one process was divided again, and Kafka told how far we are."""
LEFT_OUT_S = 5.0
"""A member without a partition for this long joins again, when there are not more members than partitions."""
TROUBLE_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""How long to wait before Kafka or the database is tried again."""


class ShardMember:
    """Folds the shares of the partitions that the group gives it. `run` until `stop`."""

    def __init__(self, cluster: Cluster, projector: Projector, owner: str, patience: Patience = PATIENCE) -> None:
        self.cluster = cluster
        self.projector = projector
        self.database = projector.database
        self.sharing = projector.sharing
        self.owner = owner
        self.stopping = threading.Event()
        self.figures = Figures()
        self.reader: Reader | None = None
        self.places: dict[int, Place] = {}
        self._halted: set[int] = set()
        self._again: set[int] = set()
        self._divided = set[str]()
        self._partitions = 0
        self._empty: float | None = None
        self._looked = 0.0
        self._settled = 0.0
        self._moving = Moving(patience)

    def run(self) -> None:
        """Until `stop`; Kafka or database that are away are waited for, and said once.

        Raises UnknownType at an event of a newer release, with what came before it folded: then the group gives its
        partition to a worker that may know it.
        """
        tries = 0
        with Reporter(self.database, "shard", self.owner, self.figures.says):
            while not self.stopping.is_set():
                began = time.monotonic()
                try:
                    with self.cluster.reaching():
                        self._session()
                except UnknownType:
                    raise
                except DomainError as error:
                    self._trouble(error, tries)
                    tries = 0 if time.monotonic() - began > 60.0 else min(tries + 1, len(TROUBLE_S) - 1)

    def stop(self) -> None:
        """End after the page in hand, and leave the group."""
        self.stopping.set()
        self.figures.stopping = True

    def _trouble(self, error: DomainError, tries: int) -> None:
        self.figures.in_trouble(error.detail)
        self.stopping.wait(TROUBLE_S[tries])

    def _session(self) -> None:
        """As long as one consumer lives. Raises Refused for a topic or group that is not right; Unavailable."""
        log, progress = topics.whole_log(self.cluster), topics.relay_progress(self.cluster)
        self._partitions = topics.make_or_check(self.cluster, [log, progress])[log.name]
        self._standing, self._empty = standing(self.database), None
        check_group(self.cluster, GROUP, self._standing.log_id)
        self._divide(log.name, self._partitions)
        with self._joined() as (reader, following):
            while not self.stopping.is_set():
                self._turn(reader, following)

    def _divide(self, topic: str, partitions: int) -> None:
        """What is whole is divided once, as soon as it is of our version: what is gathered later stays so."""
        if len(self._divided) == len(self.sharing.projections):
            return
        self.projector.prepare()
        for name, count in self.sharing.divide(partitions, self._divided).items():
            if count != partitions:
                raise Refused(
                    f"{name} is divided into {count} shares, and the topic {topic} has {partitions} partitions. "
                    f"`lodestone gather` gives it back to one process; then start this worker again."
                )
            self._divided.add(name)

    @contextmanager
    def _joined(self) -> Iterator[tuple[Reader, Following]]:
        following = Following(self.cluster, self._standing.log_id)
        try:
            self.reader = reader = Reader(self.cluster, self._standing.log_id)
            try:
                yield reader, following
            finally:
                self.reader = None
                reader.close()
        finally:
            following.close()

    def _turn(self, reader: Reader, following: Following) -> None:
        found = reader.poll(POLL_MS)
        self._moving.polled()
        if reader.misplaced:
            reader.watch.changed.clear()
            self._halted.clear()
            self._place(reader, reader.assigned())
            self.figures.reading(reader.group, sorted(self.places))
            return
        for partition, records in found.items():
            if partition in self.places:
                self._fold(reader, partition, records)
        told = following.look()
        if found or told or time.monotonic() - self._settled > SETTLE_S:
            self._settle(reader, following)
        self._look(reader)

    def _place(self, reader: Reader, partitions: Sequence[int]) -> None:
        """Go to where the shares of these partitions stand; those of which nothing is divided are left alone."""
        self._moving.forget()
        found = self.sharing.places(partitions)
        self._standing = standing(self.database)
        self.places = {one: place for one, place in self.places.items() if one in reader.assigned()}
        for partition in partitions:
            self.places.pop(partition, None)
            if found[partition] and partition not in self._halted:
                self.places[partition] = Place.of(partition, found[partition])
                reader.place(self.places[partition])
            else:
                reader.leave_alone(partition)
        if partitions and not any(found.values()):
            raised = " ".join(one.sentence for one in self.projector.raising.shown())
            self.figures.in_trouble(
                raised
                or "The shares were given back to one process, or made anew; start this worker again to divide them."
            )
        elif not self._halted:
            self.figures.well()

    def _fold(self, reader: Reader, partition: int, records: Sequence[Any]) -> None:
        place = self.places[partition]
        try:
            if place.offset is not None and records[0].offset < place.offset:
                raise TopicGap(f"Partition {partition} of {reader.topic} ends before {place.offset}: it was made anew.")
            self._check_restored(records)
            made = read(place, records, self._shared, self._release)
            believed = self.sharing.fold(made.page, place.believed)
        except TopicGap as gap:
            self._begin_again(reader, place, gap)
            return
        except Moved:
            self._place(reader, [partition])
            return
        self.places[partition] = Place(partition, believed, made.page.next_offset, made.page.sequence)
        self.figures.folded(len(made.page.events))
        if made.page.events:
            self._again.discard(partition)  # it got further than where it was begun again
        if made.stopped is not None:
            raise made.stopped

    def _check_restored(self, records: Sequence[Any]) -> None:
        """Records come from the log, so the log holds them; else the database was restored under us."""
        headers = dict(records[-1].headers)
        last = int(headers["lodestone-position"])
        if last > self._standing.head:
            self._standing = standing(self.database)
            if self._shared(last, int(headers["lodestone-epoch"])) > self._standing.head:
                raise Refused(
                    f"The topic {records[-1].topic} holds position {last}, and the log in this database ends at "
                    f"{self._standing.head}: it was restored from an older state; `lodestone recover` says more."
                )

    def _shared(self, position: int, epoch: int) -> int:
        """The last position at or below this one that the log as it is shares with that epoch."""
        if epoch > self._standing.epoch:
            self._standing = standing(self.database)
        fork = self._standing.fork_after(epoch)
        return position if fork is None else min(position, fork)

    def _release(self, event_type: str) -> str | None:
        return releases.first_to_know(self.database, event_type)

    def _begin_again(self, reader: Reader, place: Place, gap: TopicGap) -> None:
        """An alarm; then the partition is read from its start: what is folded is known by its position."""
        if place.partition in self._again:
            self._halted.add(place.partition)
            self.places.pop(place.partition, None)
            reader.leave_alone(place.partition)
            self.figures.in_trouble(
                f"{gap.detail} Reading from its start did not mend it. Publish the log again with `lodestone relay "
                "--from-start`, or give the projections back to one process with `lodestone gather`."
            )
            return
        self.figures.alarm(f"{gap.detail} It is read again from its start.")
        self._again.add(place.partition)
        self.sharing.restart(place.partition, place.believed)
        self._place(reader, [place.partition])

    def _settle(self, reader: Reader, following: Following) -> None:
        """Move the shares to the positions that the relay's progress allows, all in one transaction."""
        self._settled = time.monotonic()
        stand, offsets = dict[int, tuple[int, int]](), dict[int, int]()
        for partition, place in self.places.items():
            offset = offsets[partition] = reader.offset(partition)
            position = following.reached(partition, offset, self._shared)
            if position > place.folded:
                stand[partition] = (offset, position)
        if stand:
            believed = {partition: self.places[partition].believed for partition in stand}
            for partition, places in self.sharing.settle(stand, believed).items():
                self.places[partition].believed = places
        stuck = self._moving.stuck({one: (offset, following.end(one)) for one, offset in offsets.items()})
        if stuck is not None:
            raise Unavailable(
                f"Nothing comes of partition {stuck} of {reader.topic}, where more is; joining again.", retry_after_s=1
            )
        ends = reader.ends(self.places)
        for partition, place in self.places.items():
            self.figures.at(
                reader.group, reader.topic, partition,
                position=place.folded, offset=offsets[partition], end=ends[partition],
            )  # fmt: skip

    def _look(self, reader: Reader) -> None:
        """Now and then: whether what was left alone is divided again; and Kafka's own tools hear how far we are."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        self._divide(reader.topic, self._partitions)
        self._check_part(reader)
        found = self.sharing.places([one for one in reader.assigned() if one not in self._halted])
        known = {one: place.believed.keys() for one, place in self.places.items()}
        changed = [one for one, places in found.items() if places.keys() != known.get(one, set())]
        if changed:
            self._place(reader, changed)
        reader.tell_group({one: place.offset for one, place in self.places.items() if place.offset is not None})

    def _check_part(self, reader: Reader) -> None:
        """Raises Unavailable, so that we join again, when the group left us out though there is a part for each."""
        if reader.assigned():
            self._empty = None
            return
        self._empty = self._empty or self._looked
        if self._looked - self._empty > LEFT_OUT_S and members(self.cluster, GROUP) <= self._partitions:
            raise Unavailable(
                f"The group {reader.group} gave this worker no partition; joining again.", retry_after_s=1
            )
