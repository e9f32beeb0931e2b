"""How a shard worker stands: what it folded, and how far its shares are."""

from services.transports.kafka.standing import Standing


class Figures(Standing):
    """What one worker says about its shares."""

    def __init__(self) -> None:
        super().__init__("shard", "shards")

    def reading(self, group: str, partitions: list[int]) -> None:
        """These partitions are ours now."""
        self.words.info("reading", partitions=partitions, group=group)
        for name in ("lodestone_shard_position", "kafka_consumergroup_lag", "kafka_consumergroup_current_offset"):
            self.tally.forget(name)

    def folded(self, events: int) -> None:
        """So many more."""
        self.tally.add("lodestone_shard_events_folded_total", events)

    def at(self, group: str, topic: str, partition: int, *, position: int, offset: int, end: int) -> None:
        """How far the share of a partition is."""
        labels = (group, topic, str(partition))
        self.tally.set("lodestone_shard_position", position, str(partition))
        self.tally.set("kafka_consumergroup_current_offset", offset, *labels)
        self.tally.set("kafka_consumergroup_lag", max(0, end - offset), *labels)
