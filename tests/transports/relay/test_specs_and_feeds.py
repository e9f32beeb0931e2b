"""Specifications and feeds on Kafka: every current limit, and to each supplier its own and nothing of others."""

from typing import Any

import orjson

from events.envelope import utc_text
from events.receive import Origin, draft
from events.refs import ref_text
from events.rules import specs
from projections.folds.specbook import SPECBOOK, SpecHead
from services.store.log import Append, Log
from services.transports.kafka.relay.relaying import Relay
from tests.doors.notices import tell
from tests.engine.story import START
from tests.folds.dictionaries import fold_all
from tests.inference.test_assess import specs as texts
from tests.transports.relay.plain import headers, number, read
from tests.transports.relay.test_relay import running, wait_for

PARTIES = ("alpha", "be.ta", "be_ta", "gamma:1")


def limit(key: str, lower: float) -> dict[str, Any]:
    return {"characteristic": key, "limits": {"lower": lower, "unit": "kA/m" if key.endswith("HcJ") else "T"}}


def revise(log: Log, text: dict[str, Any], number: int) -> None:
    """One revision of a specification, as the engine would append it."""
    model = (specs.SpecIssued if number == 1 else specs.SpecRevised).model_validate({**text, "revision": number})
    origin = Origin("/engineers", utc_text(START))
    log.append(Append((draft(model, id=f"{text['spec']['id']}-{number}", origin=origin),)))


def fill(log: Log) -> None:
    """Three specifications, some revised; one limit dropped in the end, and one dropped and put back."""
    magnet, *others = texts()
    base = {**magnet, "limits": [limit("magnet.HcJ", 1500), limit("magnet.Br", 1.1)]}
    revise(log, base, 1)
    revise(log, {**base, "limits": [limit("magnet.HcJ", 1600)]}, 2)
    for other in others:
        revise(log, other, 1)
    revise(log, {**base, "limits": [limit("magnet.HcJ", 1650), limit("magnet.Br", 1.2)]}, 3)
    revise(log, {**base, "limits": [limit("magnet.HcJ", 1700)]}, 4)
    sourcing = {
        "spec": {"issuer": "plant/1", "id": "sourcing A"}, "level": "sourcing", "item": magnet["item"],
        "suppliers": [{"issuer": "alpha", "id": "alpha"}], "sourcing": {"excluded_sources": ["OX-9"]},
        "effectivity": {"date": "2026-10-01"}, "reason": "A bad source.",
    }  # fmt: skip
    revise(log, sourcing, 1)


def rebuilt(records: list[Any]) -> dict[str, dict[str, Any]]:
    """What a plain client holds after it read a compacted topic: the last value of each key."""
    kept = {record.key.decode(): record.value for record in records}
    return {key: orjson.loads(value) for key, value in kept.items() if value is not None}


def book(log: Log) -> dict[str, dict[str, Any]]:
    """The current limits by the specification book, under the keys that the topic shall have."""
    heads = fold_all(SPECBOOK, log.read(0, 1000)).tables[SpecHead].values()
    found: dict[str, dict[str, Any]] = {}
    for head in heads:
        said = {"revision": head.revision, "position": head.position, "level": head.level}
        for one in head.data["limits"]:
            found[f"{head.spec}/{one['characteristic']}"] = {**said, **one}
        if head.data["sourcing"] is not None:
            found[f"{head.spec}/sourcing"] = {**said, "sourcing": head.data["sourcing"]}
    return found


def test_a_plain_client_rebuilds_every_current_limit(kafka, database, log):
    fill(log)
    with running(Relay(database, log, kafka, "one", page=3)) as relay:
        wait_for(relay, log.head())
    records = read(kafka.servers, kafka.name("spec.current.v1"))
    found = rebuilt(records)
    wanted = book(log)
    assert found.keys() == wanted.keys()
    assert all(value.items() <= found[key].items() for key, value in wanted.items())
    assert "plant%2F1:sourcing%20A/sourcing" in found
    assert sum(record.value is None for record in records) == 2


def test_every_revision_is_told_as_it_was_stored(kafka, database, log):
    fill(log)
    with running(Relay(database, log, kafka, "one")) as relay:
        wait_for(relay, log.head())
    told = read(kafka.servers, kafka.name("spec.changes.v1"))
    assert {number(one, "position"): one.value for one in told} == dict(log.read_bytes(0, 1000))
    assert [one.key.decode() for one in told] == [ref_text(event.data["spec"]) for event in log.read(0, 1000)]
    assert headers(told[0])["content-type"] == "application/cloudevents+json; charset=UTF-8"


def test_a_supplier_gets_its_own_feed_and_nothing_of_anybody_else(kafka, database, log):
    fill(log)
    for number_ in range(1, 4):
        for party in PARTIES:
            tell(log, party, number_)
    with running(Relay(database, log, kafka, "one", page=2)) as relay:
        wait_for(relay, log.head())
    with kafka.admin() as admin:
        names = [name for name in admin.list_topics() if name.startswith(kafka.name("supplier."))]
    assert len(names) == len(PARTIES)
    seen = set()
    for name in names:
        records = read(kafka.servers, name)
        events = [orjson.loads(one.value) for one in records]
        (party,) = {ref_text(event["data"]["party"]) for event in events}
        seen.add(party)
        feed = [event for event in log.read_bytes(0, 1000) if f'"stream":"feeds/{party}"'.encode() in event[1]]
        assert [one.value for one in records] == [body for _, body in feed]
        assert [int(event["sequence"]) for event in events] == [1, 2, 3]
        others = [other for other in PARTIES if f'"{other}"'.encode() not in records[0].value]
        assert len(others) == len(PARTIES) - 1
        for one in records:
            assert not any(other.encode() in one.value + one.key + str(one.headers).encode() for other in others)
            assert headers(one).keys() == {"content-type", "lodestone-epoch"}
    assert len(seen) == len(PARTIES)
