"""What must hold after all that: each event once, in the log and on Kafka, and what follows from them equal."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from services.transports.kafka import topics
from services.transports.kafka.connecting import Cluster
from tests.faults.load import Bench
from tests.faults.stack.plant import Plant
from tests.faults.stack.publishing import Publisher
from tests.transports.relay.plain import number, read


def check(plant: Plant, cluster: Cluster, benches: list[Bench], publishers: list[Publisher]) -> dict[str, int]:
    """The counts of build/faults.json. Raises AssertionError that says what is not so."""
    assert not [complaint for bench in benches for complaint in bench.complaints]
    events = [json.loads(line) for line in plant.command("export").splitlines()]
    counts = each_once(events, benches, publishers)
    records = read(cluster.servers, topics.whole_log(cluster).name)
    placed = [(one.partition, number(one, "sequence"), number(one, "position")) for one in records]
    counts["published"] = published_once(placed, len(events))
    counts["told_as_rejected"] = _rubbish_is_told(cluster, publishers)
    verified = json.loads(plant.command("verify", "--json"))
    assert verified["verified"], verified
    plant.command("rebuild")
    again = json.loads(plant.command("digest", "--json"))
    assert (again["position"], again["digests"]) == (verified["position"], verified["projections"])
    return counts


def each_once(
    events: list[dict[str, Any]], benches: Sequence[Bench], publishers: Sequence[Publisher]
) -> dict[str, int]:
    """The counts of what was sent, answered and stored. Raises AssertionError unless each is there once, as told."""
    where: dict[str, list[int]] = defaultdict(list)
    for position, event in enumerate(events, 1):
        where[event["id"]].append(position)
    offered = {id for bench in benches for id in bench.offered} | {id for one in publishers for id in one.offered}
    answered = {id: at for bench in benches for id, at in bench.acknowledged.items()}
    acknowledged = answered.keys() | {id for one in publishers for id in one.acknowledged}
    counts = {
        "offered": len(offered),
        "acknowledged": len(acknowledged),
        "stored": sum(id in where for id in offered),
        "doubled": sum(len(places) > 1 for places in where.values()),
        "lost": sum(id not in where for id in acknowledged),
    }
    assert (counts["doubled"], counts["lost"]) == (0, 0), counts
    assert counts["stored"] == counts["acknowledged"] == counts["offered"], counts
    elsewhere = {id: (at, where[id][0]) for id, at in answered.items() if where[id][0] != at}
    assert not elsewhere, f"not where it was answered to be: {elsewhere}"
    return counts


def published_once(records: Iterable[tuple[int, int, int]], head: int) -> int:
    """How many records there are, each (partition, sequence, position) as a plain client read them.

    Raises AssertionError unless every position is there once, and each partition is in order and numbered densely.
    """
    records = list(records)
    positions = Counter(position for _, _, position in records)
    assert not (gone := sorted(set(range(1, head + 1)) - positions.keys())), f"not published: {_some(gone)}"
    assert not (alien := sorted(at for at in positions if at > head)), f"not in the log: {_some(alien)}"
    assert not (again := sorted(at for at, n in positions.items() if n > 1)), f"more than once: {_some(again)}"
    by_partition: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for partition, sequence, position in records:
        by_partition[partition].append((sequence, position))
    for partition, mine in by_partition.items():
        places = [position for _, position in mine]
        assert places == sorted(places), f"partition {partition} is out of order"
        dense = [sequence for sequence, _ in mine] == list(range(1, len(mine) + 1))
        assert dense, f"the numbers of partition {partition} are not dense"
    return len(records)


def _some(positions: Sequence[int]) -> str:
    return ", ".join(map(str, positions[:5]))


def _rubbish_is_told(cluster: Cluster, publishers: list[Publisher]) -> int:
    """Every message that is no event of ours was told at least once, and its token to nobody.

    A message whose acknowledgement got lost may be there though its sender counts it as not sent, so: as many places.
    """
    rejected = read(cluster.servers, topics.bench_rejected(cluster).name)
    tokens = {publisher.proof[1] for publisher in publishers}
    for record in rejected:
        assert not [name for name, value in record.headers if name == "lodestone-token" or value in tokens]
    sent = read(cluster.servers, topics.bench_events(cluster).name)
    rubbish = {(one.partition, one.offset) for one in sent if one.key is None}
    told = {
        (int(headers["lodestone-partition"]), int(headers["lodestone-offset"]))
        for record in rejected
        for headers in [{name: value.decode() for name, value in record.headers if value is not None}]
    }
    assert rubbish <= told, sorted(rubbish - told)[:5]
    return len(told)
