"""Our topics: what each is for and how it must be set; made where they are missing, else checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, for_code

from events.errors import Refused
from services.transports.kafka.connecting import Cluster

_BROKERS_TIME = {"message.timestamp.type": "LogAppendTime"}
"""A sender's clock that is wrong by hours must not decide what brokers take (at most an hour ahead) and delete."""
_KEPT = MappingProxyType({"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", **_BROKERS_TIME})
_COMPACTED = MappingProxyType({"cleanup.policy": "compact", **_BROKERS_TIME})


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its full name, how many partitions it has at least, its settings, and what it is for.

    The number of partitions of one that is `keyed` cannot be raised later: keys would move to other partitions.
    """

    name: str
    partitions: int
    settings: Mapping[str, str]
    purpose: str
    keyed: bool = False


def bench_events(cluster: Cluster) -> Topic:
    settings = {"cleanup.policy": "delete", "retention.ms": str(7 * 86_400_000), **_BROKERS_TIME}
    purpose = "events from benches, plants and suppliers, to be taken in"
    return Topic(cluster.name("bench.events.v1"), cluster.partitions, settings, purpose)


def bench_rejected(cluster: Cluster) -> Topic:
    settings = {"cleanup.policy": "delete", "retention.ms": str(30 * 86_400_000), **_BROKERS_TIME}
    return Topic(cluster.name("bench.rejected.v1"), 1, settings, "events that were refused, with the reason in headers")


def trusted(name: str) -> Topic:
    """A topic of somebody's own whose ACLs decide who writes to it."""
    settings = {"cleanup.policy": "delete"}
    return Topic(name, 1, settings, "events of a trusted publisher, to be taken in")


def whole_log(cluster: Cluster) -> Topic:
    purpose = "the whole log, byte for byte; internal"
    return Topic(cluster.name("log.v1"), cluster.partitions, _KEPT, purpose, keyed=True)


def spec_changes(cluster: Cluster) -> Topic:
    return Topic(cluster.name("spec.changes.v1"), 1, _KEPT, "every revision of every specification; internal")


def spec_current(cluster: Cluster) -> Topic:
    return Topic(cluster.name("spec.current.v1"), 1, _COMPACTED, "the limits in force, one record for each; internal")


def relay_progress(cluster: Cluster) -> Topic:
    return Topic(cluster.name("relay.progress.v1"), 1, _COMPACTED, "how far the relay is; internal")


def supplier_feed(cluster: Cluster, party: str) -> Topic:
    """The topic of one supplier, `issuer:id`; nobody else may read it."""
    return Topic(cluster.name(f"supplier.{topic_part(party)}.v1"), 1, _KEPT, f"the feed of the supplier {party}")


def topic_part(party: str) -> str:
    """A party's reference as a part of a topic name: `issuer.id`, every other byte than [A-Za-z0-9-] as _hh.

    No two parties share one, not even where Kafka's metrics write a dot as an underscore.
    """
    issuer, _, own = party.partition(":")
    return f"{_escaped(issuer)}.{_escaped(own)}"


def _escaped(text: str) -> str:
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or byte == 0x2D) else f"_{byte:02x}"
        for byte in text.encode()
    )


def make_or_check(cluster: Cluster, wanted: Iterable[Topic]) -> dict[str, int]:
    """Make the topics that are missing and check the others; the number of partitions of each.

    Raises Refused that names the topic, what is wrong, and the command that mends it; Unavailable, Forbidden.
    """
    topics = list(wanted)
    with cluster.admin() as admin:
        there = set(admin.list_topics())
        missing = [topic for topic in topics if topic.name not in there]
        if missing:
            _make(cluster, admin, missing)
        found = _settings(admin, topics)
        counts = {one["name"]: len(one["partitions"]) for one in admin.describe_topics([t.name for t in topics])}
    for topic in topics:
        _check(cluster, topic, counts[topic.name], found.get(topic.name, {}))
    return counts


def largest_record(cluster: Cluster, there: Iterable[Topic]) -> int:
    """The size in bytes of the largest record that all of these topics take. Raises Unavailable, Forbidden."""
    with cluster.admin() as admin:
        found = _settings(admin, there)
    return min(int(settings["max.message.bytes"]) for settings in found.values())


def _make(cluster: Cluster, admin: KafkaAdminClient, missing: Iterable[Topic]) -> None:
    wanted = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": cluster.replication,
            "configs": dict(topic.settings),
        }
        for topic in missing
    }
    answer = admin.create_topics(wanted, raise_errors=False)
    for one in answer["topics"]:
        error = for_code(one["error_code"])
        if one["error_code"] and error is not TopicAlreadyExistsError:  # another process was quicker
            raise error(one.get("error_message") or one["name"])
    admin.wait_for_topics(list(wanted))


def _settings(admin: KafkaAdminClient, topics: Iterable[Topic]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    found = admin.describe_configs(asked, config_filter="all")["topic"]
    return {name: {key: str(one["value"]) for key, one in settings.items()} for name, settings in found.items()}


def _check(cluster: Cluster, topic: Topic, partitions: int, settings: Mapping[str, str]) -> None:
    wrong = {key: value for key, value in topic.settings.items() if settings.get(key) != value}
    if wrong:
        is_set = ", ".join(f"{key}={settings.get(key)}" for key in wrong)
        mended = ",".join(f"{key}={value}" for key, value in wrong.items())
        raise Refused(
            f"The topic {topic.name} ({topic.purpose}) has {is_set}. Mend it with: kafka-configs.sh "
            f"--bootstrap-server {cluster.servers} --alter --entity-type topics --entity-name {topic.name} "
            f"--add-config {mended}"
        )
    if partitions >= topic.partitions:
        return
    if topic.keyed:
        raise Refused(
            f"The topic {topic.name} ({topic.purpose}) has {partitions} partitions, and {topic.partitions} are asked "
            f"for. Its keys would move if it got more: set LODESTONE_KAFKA_PARTITIONS={partitions}."
        )
    raise Refused(
        f"The topic {topic.name} ({topic.purpose}) has {partitions} partitions, and {topic.partitions} are asked for. "
        f"Mend it with: kafka-topics.sh --bootstrap-server {cluster.servers} --alter --topic {topic.name} "
        f"--partitions {topic.partitions} (or set LODESTONE_KAFKA_PARTITIONS={partitions})"
    )
