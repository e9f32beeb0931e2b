"""The AsyncAPI 3 document of what goes over Kafka, made from the catalogue of events and the topics."""

from collections.abc import Iterable
from typing import Any

from events.catalogue import CATALOGUE
from services.transports.kafka import topics
from services.transports.kafka.asyncapi.messages import FEEDS, POSTED, SPECS, STRUCTURED, messages
from services.transports.kafka.asyncapi.schemas import schemas
from services.transports.kafka.connecting import Cluster
from services.transports.kafka.topics import Topic

BINDING = "0.5.0"
_PREFIX = "lodestone"
_PARTY = "party"


def document(version: str) -> dict[str, Any]:
    """The whole document, as of this release."""
    cluster = Cluster("localhost:9092", prefix=_PREFIX)
    channels, operations = _channels(cluster), _operations(cluster)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lodestone on Kafka",
            "version": version,
            "description": "What Lodestone takes from Kafka and what it publishes there. Names begin with "
            "LODESTONE_KAFKA_PREFIX, here `lodestone`. Readers of what is published set "
            "isolation.level=read_committed.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": STRUCTURED,
        "servers": {
            "kafka": {
                "host": cluster.servers,
                "protocol": "kafka",
                "description": "The cluster of LODESTONE_KAFKA_BOOTSTRAP_SERVERS.",
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas(), "messages": messages()},
    }


def _channels(cluster: Cluster) -> dict[str, Any]:
    party = "the party of its parameter"
    feed = topics.supplier_feed(cluster, _PARTY)
    name = cluster.name("supplier.{party}.v1")
    supplier = Topic(name, feed.partitions, feed.settings, f"the feed of {party}, which alone may read it")
    made = {
        "benchEvents": _channel(topics.bench_events(cluster), (f"posted.{one}" for one in POSTED)),
        "benchRejected": _channel(topics.bench_rejected(cluster), ["rejected"]),
        "log": _channel(topics.whole_log(cluster), CATALOGUE),
        "specChanges": _channel(topics.spec_changes(cluster), (f"changed.{one}" for one in SPECS)),
        "specCurrent": _channel(topics.spec_current(cluster), ["currentLimit", "goneLimit"]),
        "supplierFeed": _channel(supplier, (f"told.{one}" for one in FEEDS)),
        "relayProgress": _channel(topics.relay_progress(cluster), ["progress"]),
    }
    made["supplierFeed"]["parameters"] = {
        "party": {
            "description": "issuer.id of the party, every other byte than [A-Za-z0-9-] as _hh (hexadecimal): "
            "norrland-permanent.norrland-permanent."
        }
    }
    return made


def _channel(topic: Topic, messages: Iterable[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        key: value.split(",") if key == "cleanup.policy" else int(value)
        for key, value in topic.settings.items()
        if key != "message.timestamp.type"  # none of those that the document's form knows
    }
    kafka = {"topic": topic.name, "partitions": topic.partitions, "topicConfiguration": settings}
    return {
        "address": topic.name,
        "description": f"{topic.purpose[0].upper()}{topic.purpose[1:]}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {**kafka, "bindingVersion": BINDING}},
    }


def _operations(cluster: Cluster) -> dict[str, Any]:
    def one(action: str, channel: str, client: str, group: str | None = None) -> dict[str, Any]:
        kafka: dict[str, Any] = {"clientId": {"pattern": f"^{cluster.prefix}-{client}"}, "bindingVersion": BINDING}
        if group is not None:
            kafka["groupId"] = {"const": cluster.name(group)}
        kafka = {key: {"type": "string", **value} if isinstance(value, dict) else value for key, value in kafka.items()}
        return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "bindings": {"kafka": kafka}}

    return {
        "takeBenchEvents": one("receive", "benchEvents", "ingress", "ingress"),
        "returnRejected": one("send", "benchRejected", "rejections"),
        "publishLog": one("send", "log", "relay"),
        "foldLog": one("receive", "log", "shards", "shards"),
        "publishSpecChanges": one("send", "specChanges", "relay"),
        "publishCurrentLimits": one("send", "specCurrent", "relay"),
        "tellSupplier": one("send", "supplierFeed", "relay"),
        "noteProgress": one("send", "relayProgress", "relay"),
    }
