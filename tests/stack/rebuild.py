"""A plain client of Kafka that rebuilds every limit in force from the compacted topic, and holds it against the API.

`python tests/stack/rebuild.py SERVERS TOPIC SPECS`, where SPECS is what `GET /v1/specs?limit=200` answered. Nothing of
ours is imported: it keeps the last record of each key, as any reader of a compacted topic does.
"""

import json
import sys
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

Limits = dict[tuple[str, str], Any]


def last_of_each_key(servers: str, topic: str) -> list[dict[str, Any]]:
    """The value of every key that has one, read to the end of what is committed."""
    consumer = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", enable_auto_commit=False)
    kept: dict[bytes, bytes | None] = {}
    for partition in consumer.partitions_for_topic(topic) or ():
        at = TopicPartition(topic, partition)
        consumer.assign([at])
        consumer.seek_to_beginning(at)
        end = consumer.end_offsets([at])[at]
        while consumer.position(at) < end:
            kept |= {record.key: record.value for record in consumer.poll(timeout_ms=200).get(at, [])}
    consumer.close()
    return [json.loads(value) for value in kept.values() if value is not None]


def in_force(values: list[dict[str, Any]]) -> Limits:
    """By specification and characteristic: revision, effectivity, limits or sourcing, temperature."""
    found = {}
    for one in values:
        spec, base = f"{one['spec']['issuer']}:{one['spec']['id']}", (one["revision"], one["effectivity"])
        if one["characteristic"] is None:
            found[spec, "sourcing"] = (*base, one["sourcing"], None)
        else:
            found[spec, one["characteristic"]] = (*base, one["limits"], one["temperature"])
    return found


def in_specs(items: list[dict[str, Any]]) -> Limits:
    """The same, as `GET /v1/specs` has it."""
    found = {}
    for spec in items:
        base = (spec["revision"], spec["effectivity"])
        for one in spec["limits"]:
            found[spec["spec"], one["characteristic"]] = (*base, one["limits"], one["temperature"])
        if spec["sourcing"]:
            found[spec["spec"], "sourcing"] = (*base, spec["sourcing"], None)
    return found


def main() -> int:
    """Compare; exit 1 names what differs."""
    servers, topic, path = sys.argv[1:]
    published = in_force(last_of_each_key(servers, topic))
    asked = in_specs(json.loads(Path(path).read_text())["items"])
    different = sorted(key for key in published.keys() | asked.keys() if published.get(key) != asked.get(key))
    for spec, characteristic in different:
        sys.stdout.write(f"{spec} {characteristic}: Kafka and the API differ.\n")
    sys.stdout.write(f"{len(published) - len(different)} of {len(asked)} limits in force are the same.\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
