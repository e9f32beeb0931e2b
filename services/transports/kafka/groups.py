"""Consumer groups: how our members call themselves, what they hear, and whether a group is ours alone."""

import threading
from typing import Any

from kafka import ConsumerRebalanceListener
from kafka.errors import GroupIdNotFoundError

from events.errors import Refused
from services.transports.kafka.connecting import Cluster


class Watch(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes that a group shared its partitions out anew; called in the client's own thread."""

    def __init__(self) -> None:
        self.changed = threading.Event()

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.changed.set()

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.changed.set()


def member_name(group: str, log_id: str) -> str:
    """What our members of a group call themselves to Kafka: those of another log are told apart by it."""
    return f"{group}-{log_id[:8]}"


def members(cluster: Cluster, group: str) -> int:
    """How many members a group of ours has. Raises Unavailable, Forbidden."""
    name = cluster.name(group)
    with cluster.admin() as admin:
        try:
            return len(admin.describe_groups([name])[name].get("members", ()))
        except GroupIdNotFoundError:
            return 0


def check_group(cluster: Cluster, group: str, log_id: str) -> None:
    """Raises Refused when others are members of our group: they would take messages that never reach this log."""
    name = cluster.name(group)
    ours = f"{cluster.prefix}-{member_name(group, log_id)}"
    with cluster.admin() as admin:
        try:
            found = admin.describe_groups([name])[name]
        except GroupIdNotFoundError:
            return
    kind = found.get("protocol_type") or "consumer"
    others = sorted({one["client_id"] for one in found.get("members", ()) if one["client_id"] != ours})
    if not others and kind == "consumer":
        return
    who = f"its members call themselves {', '.join(others)}" if others else f"it is of the kind '{kind}'"
    raise Refused(
        f"The consumer group {name} is in use by another log or program ({who}), which would take part of the "
        f"messages. Give this log a prefix of its own (LODESTONE_KAFKA_PREFIX), or stop the other one."
    )
