"""What is refused is kept and told with its reason, once for each message, and the token is nowhere."""

import json
from contextlib import contextmanager, suppress

import orjson
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAuthorizationFailedError

from events.facts.earlier import vibration_v2
from services.transports.kafka import topics
from services.transports.kafka.binding import structured
from services.transports.kafka.ingress.telling import Teller
from tests.doors.facts import efficiency
from tests.doors.test_versions import VIBRATION
from tests.transports.ingress.bench import ingress_of, outcomes, rows, running, stored_ids
from tests.waiting import until


class Dying(Teller):
    """One that ends after what it published and before its commit, as a process does that is killed."""

    dead = False

    def tell_some(self) -> int:
        with suppress(EOFError):
            super().tell_some()
            return 0
        self.dead = True
        return 0

    def _remove(self, connection, rows):
        raise EOFError


class Barred(Teller):
    """One whose first try an ACL refuses, as an operator may set and then mend it."""

    barred = 1

    def _publish(self, rows):
        if self.barred:
            self.barred -= 1
            raise TopicAuthorizationFailedError(self.topic)
        super()._publish(rows)


@contextmanager
def refusing(kafka, database, bench, teller):
    """An ingress that has refused one message, and tells of it by this teller."""
    bench.plain(b"no event", partition=0)
    ingress = ingress_of(kafka, database)
    ingress.teller = teller
    with running(ingress):
        until(lambda: outcomes(ingress) == {"rejected": 1})
        yield


def by_offset(records):
    found = {}
    for record in records:
        headers = dict(record.headers)
        where = (headers["lodestone-partition"], int(headers["lodestone-offset"]))
        found[where] = (record, headers, json.loads(headers["lodestone-problem"]))
    return found


def test_each_refused_message_is_kept_and_published_with_its_reason_and_the_others_enter(kafka, database, bench):
    first, good = efficiency("M-1", 93.0), efficiency("M-2", 93.0)
    changed = {**first, "data": {**first["data"], "efficiency": {"value": 91, "unit": "%", "u": 0.1}}}
    proof = ("lodestone-token", bench.token.encode())
    json_type = ("content-type", b"application/cloudevents+json")
    bench.send(first, partition=0)
    bench.plain(b"\xff\x00 no event", proof, key=b"k", partition=0)
    bench.send(changed, partition=0)
    bench.send(efficiency("M-3", bench="B2"), partition=0)
    bench.plain(orjson.dumps(efficiency("M-4")), json_type, partition=0)
    bench.plain(orjson.dumps(efficiency("M-5")), json_type, ("Lodestone-Token", b"lode_wrong"), partition=0)
    bench.plain(orjson.dumps({**efficiency("M-6"), "type": "lodestone.tests.x.v1"}), json_type, proof, partition=0)
    bench.plain(None, ("ce_specversion", b"1.0"), proof, key=b"k", partition=0)
    bench.plain(b"x" * 1_000_001, json_type, proof, partition=0)
    bench.plain(b"{}", ("content-type", b"application/cloudevents-batch+json"), proof, partition=0)
    bench.send(good, partition=0)
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 2, "rejected": 9})
        told = by_offset(bench.rejected(9))
        until(lambda: rows(database, "SELECT count(*) FROM ingress_rejections") == [(0,)])
    assert stored_ids(database) == [first["id"], good["id"]]
    reasons = [told[b"0", at][2]["type"].rpartition(":")[2] for at in range(1, 10)]
    assert reasons == [
        *("unsupported-media", "identity-conflict", "forbidden", "unauthenticated", "unauthenticated"),
        *("unknown-type", "invalid", "too-large", "unsupported-media"),
    ]
    record, headers, problem = told[b"0", 1]
    assert (record.key, record.value) == (b"k", b"\xff\x00 no event")
    assert headers["lodestone-reason"].decode() == problem["detail"]
    assert headers["lodestone-topic"].decode() == bench.topic
    assert told[b"0", 2][2]["stored_hash"] != told[b"0", 2][2]["received_hash"]
    assert json.loads(told[b"0", 2][0].value) == changed
    big, marks, _ = told[b"0", 8]
    assert (len(big.value), marks["lodestone-truncated"]) == (200_000, b"1000001")
    assert not any("token" in name.lower() for record, headers, _ in told.values() for name in headers)
    kept = rows(database, "SELECT id, event, problem::text, principal FROM quarantine")
    assert {row[0] for row in kept} == {headers["lodestone-quarantine"].decode() for _, headers, _ in told.values()}
    everything = repr(kept) + repr(rows(database, "SELECT body FROM log_events")) + repr(told)
    assert bench.token not in everything and "lode_wrong" not in everything
    assert {row[3] for row in kept} == {"bench /benches/B1", f"kafka {bench.topic}"}


def test_two_versions_of_one_fact_are_one_event_and_nothing_of_them_is_refused(kafka, database, bench):
    plain = efficiency("M-1")
    data = {name: value for name, value in plain["data"].items() if name != "efficiency"}
    older = {**plain, "type": f"{VIBRATION}1", "data": {**data, "velocity": {"value": 0.6, "u": 0.04, "unit": "mm/s"}}}
    newer = {**older, "type": f"{VIBRATION}2", "data": vibration_v2(older["data"])}
    bench.send(older, partition=1)
    bench.send(newer, partition=1)
    bench.send(newer, partition=2)
    with running(ingress_of(kafka, database)) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 1, "duplicate": 2})
    assert rows(database, "SELECT count(*) FROM quarantine") == [(0,)]


def test_a_message_may_only_say_what_its_topic_is_trusted_with(kafka, database, bench):
    topic = f"{kafka.prefix}.line-7"
    topics.make_or_check(kafka, [topics.trusted(topic)])
    mine, foreign = efficiency("M-1", bench="B7"), efficiency("M-2", bench="B8")
    for event in (mine, foreign):
        headers, value = structured(orjson.dumps(event))
        bench.plain(value, *headers, topic=topic)
    with running(ingress_of(kafka, database, trusted=f"{topic}=bench:/benches/B7")) as ingress:
        until(lambda: outcomes(ingress) == {"accepted": 1, "rejected": 1})
    assert stored_ids(database) == [mine["id"]]
    (told,) = bench.rejected(1)
    assert b"speaks for sources under '/benches/B7'" in dict(told.headers)["lodestone-reason"]


def test_what_was_published_and_not_yet_removed_when_all_stopped_is_published_again(kafka, database, bench):
    dying = Dying(kafka, database)
    with refusing(kafka, database, bench, dying):
        until(lambda: dying.dead)
    assert rows(database, "SELECT count(*) FROM ingress_rejections") == [(1,)]
    assert Teller(kafka, database).tell_some() == 1
    told = bench.rejected(2)
    assert len(told) >= 2 and {record.value for record in told} == {b"no event"}
    assert rows(database, "SELECT count(*) FROM ingress_rejections") == [(0,)]


def test_what_an_acl_kept_from_being_told_is_told_once_it_is_mended(kafka, database, bench):
    teller = Barred(kafka, database)
    with refusing(kafka, database, bench, teller):
        until(lambda: not teller.barred)
        teller.wake()
        assert [record.value for record in bench.rejected(1)] == [b"no event"]


def test_a_refusal_that_no_record_can_hold_is_told_short_and_holds_up_no_other(kafka, database, bench):
    """A reason that repeats what a bench wrote may be larger than a record; a topic may be set to take little."""
    long_unit, large, small = efficiency("M-1"), efficiency("M-2"), efficiency("M-3")
    long_unit["data"]["efficiency"]["unit"] = "x" * 380_000
    large["data"]["operator"] = "y" * 50_000
    small["data"]["operator"] = ""
    takes = ConfigResource(ConfigResourceType.TOPIC, topics.bench_rejected(kafka).name)
    takes.configs = {**topics.bench_rejected(kafka).settings, "max.message.bytes": "20000"}
    with kafka.admin() as admin:
        admin.alter_configs([takes])
    bench.send(long_unit, large, small, partition=0)
    with running(ingress_of(kafka, database)) as ingress:
        told = by_offset(bench.rejected(3))
        until(lambda: rows(database, "SELECT count(*) FROM ingress_rejections") == [(0,)])
        assert outcomes(ingress) == {"rejected": 3}
    kept = dict(rows(database, "SELECT id, length(event) FROM quarantine"))
    for record, headers, problem in (told[b"0", 0], told[b"0", 1]):
        assert kept[headers["lodestone-quarantine"].decode()] > 50_000  # whole, where the record says it is
        assert not record.value and int(headers["lodestone-truncated"]) > 50_000
        assert "quarantine" in headers["lodestone-reason"].decode() and problem["status"] == 422
        assert sum(map(len, headers.values())) < 10_000
    assert json.loads(told[b"0", 2][0].value) == small
