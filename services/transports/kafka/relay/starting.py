"""Before the relay goes on: do the log, the topics and the progress belong together? What does not is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from events.errors import Refused
from services.store.database import Database
from services.store.log import Log, leaf_hash
from services.store.sealing.epochs import Opening, head_of, openings
from services.store.sealing.ledger import log_id
from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.relay.progress import Found, Progress, Share
from services.transports.kafka.topics import Topic

FROM_START = "lodestone relay --from-start"
RECOVER = (
    "`lodestone recover` shows what is lost and opens a new epoch; then start the relay again. (Where recover finds "
    "nothing, because what is lost was not sealed yet: `lodestone recover --after` with the last position of what was "
    "restored.)"
)


def fixed_topics(cluster: Cluster) -> list[Topic]:
    """The topics that the relay writes, but for those of suppliers, which come with their first event."""
    return [
        topics.whole_log(cluster),
        topics.spec_changes(cluster),
        topics.spec_current(cluster),
        topics.relay_progress(cluster),
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """The log as it stands: which one, how far, and the epochs after the first."""

    log_id: str
    head: int
    openings: tuple[Opening, ...]

    @property
    def epoch(self) -> int:
        return max((one.epoch for one in self.openings), default=1)

    def fork_after(self, epoch: int) -> int | None:
        """The last position shared with that epoch; None when it is the one that lasts."""
        return min((one.fork for one in self.openings if one.epoch > epoch), default=None)


def standing(database: Database) -> Standing:
    """The log as it stands now. Raises Unavailable."""
    with database.snapshot() as connection:
        return Standing(log_id(connection), head_of(connection), openings(connection))


def first(now: Standing, partitions: int) -> Progress:
    """Nothing is published yet."""
    return Progress(now.log_id, now.epoch, 0, (Share(),) * partitions)


def going_on(cluster: Cluster, now: Standing, progress: Progress | None, found: Sequence[Found]) -> Progress:
    """Where to go on: after what was published, or after what this epoch shares with it.

    `found` has the tails of partitions where there is no progress.

    Raises Refused with one sentence on what does not fit and what to do.
    """
    name = topics.whole_log(cluster).name
    if progress is None:
        # What a relay gave up that was killed in its first page counts as nothing.
        if any(one.sequence for one in found):
            raise Refused(
                f"The topic {name} holds records, and {topics.relay_progress(cluster).name} does not say up to where: "
                f"it was deleted or emptied. `{FROM_START}` publishes the whole log again behind them; readers know "
                "repeated events by their position and id."
            )
        return first(now, len(found))
    _check_log(cluster, now, progress)
    _check_topic(cluster, progress, found)
    fork = now.fork_after(progress.epoch)
    if fork is not None:
        forked = progress if progress.position <= fork else replace(progress, position=fork, leaf=None)
        return replace(forked, epoch=now.epoch)
    check_restored(now, progress)
    return progress


def check_restored(now: Standing, progress: Progress) -> None:
    """The log holds what was published. Raises Refused when it ends before, or knows less epochs."""
    if now.epoch < progress.epoch or now.head < progress.position:
        raise Refused(
            f"Published is up to position {progress.position} of epoch {progress.epoch}, and the log in this database "
            f"ends at {now.head} in epoch {now.epoch}: it was restored from an older state. {RECOVER}"
        )


def check_same(log: Log, progress: Progress) -> None:
    """The log has the event that was published last. Raises Refused when it has another: it was restored, and grew."""
    if progress.leaf is None:
        return
    stored = log.body(progress.position)
    if stored is None or leaf_hash(stored).hex() != progress.leaf:
        raise Refused(
            f"Published is up to position {progress.position}, and the log in this database has another event there: "
            f"it was restored from an older state, and went on since. {RECOVER}"
        )


def again(cluster: Cluster, now: Standing, progress: Progress | None, found: Sequence[Found]) -> Progress:
    """Publish everything again, behind what the topics hold: numbers go on after the last record of a partition."""
    if progress is not None:
        _check_log(cluster, now, progress)
    return Progress(now.log_id, now.epoch, 0, tuple(Share(one.sequence, one.end) for one in found))


def _check_log(cluster: Cluster, now: Standing, progress: Progress) -> None:
    if progress.log_id != now.log_id:
        raise Refused(
            f"The topics {cluster.prefix}.… belong to the log {progress.log_id}, and this database holds the log "
            f"{now.log_id}. Give this one topics of its own with LODESTONE_KAFKA_PREFIX, or connect the relay to the "
            "other database (LODESTONE_DATABASE_URL)."
        )


def _check_topic(cluster: Cluster, progress: Progress, found: Sequence[Found]) -> None:
    name = topics.whole_log(cluster).name
    if len(found) != len(progress.shares):
        raise Refused(
            f"The topic {name} has {len(found)} partitions, and the relay published to {len(progress.shares)}: keys "
            f"would lie in two partitions, out of order. Delete the topic, set LODESTONE_KAFKA_PARTITIONS to what it "
            f"shall have, and publish the log again with `{FROM_START}`."
        )
    short = [p for p, (one, share) in enumerate(zip(found, progress.shares, strict=True)) if one.end < share.end]
    if short:
        raise Refused(
            f"Partition {short[0]} of the topic {name} ends at offset {found[short[0]].end}, and the relay published "
            f"up to {progress.shares[short[0]].end}: the topic was deleted and made again, or lost records. "
            f"`{FROM_START}` publishes the whole log again; readers know repeated events by their position and id."
        )
