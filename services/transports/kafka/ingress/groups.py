"""The consumer group: whether its name is ours alone, or another log's or another program's too."""

from kafka.errors import GroupIdNotFoundError

from events.errors import Refused
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.ingress.reading import GROUP, member_name


def check_group(cluster: Cluster, log_id: str) -> None:
    """Raises Refused when others are members of our group: they would take messages that never reach this log."""
    name = cluster.name(GROUP)
    ours = f"{cluster.prefix}-{member_name(log_id)}"
    with cluster.admin() as admin:
        try:
            group = admin.describe_groups([name])[name]
        except GroupIdNotFoundError:
            return
    kind = group.get("protocol_type") or "consumer"
    others = sorted({one["client_id"] for one in group.get("members", ()) if one["client_id"] != ours})
    if not others and kind == "consumer":
        return
    who = f"its members call themselves {', '.join(others)}" if others else f"it is of the kind '{kind}'"
    raise Refused(
        f"The consumer group {name} is in use by another log or program ({who}), which would take part of the "
        f"messages. Give this log a prefix of its own (LODESTONE_KAFKA_PREFIX), or stop the other one."
    )
