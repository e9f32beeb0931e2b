"""`POST /v1/events` from clients of two ages: a retry after an upgrade is a duplicate, a difference a conflict."""

from events.canonical import content_hash
from events.facts.earlier import vibration_v2
from tests.doors.facts import efficiency
from tests.doors.service import STRUCTURED, post

VIBRATION = "lodestone.tests.vibration_measured.v"


def _first(motor):
    event = efficiency(motor)
    data = {name: value for name, value in event["data"].items() if name != "efficiency"}
    velocity = {"value": 0.62, "u": 0.04, "unit": "mm/s"}
    return {**event, "id": f"v-{motor}", "type": f"{VIBRATION}1", "data": {**data, "velocity": velocity}}


def _second(event, **fields):
    return {**event, "type": f"{VIBRATION}2", "data": vibration_v2(event["data"]) | fields}


def _posted(client, event, **params):
    return client.post("/v1/events", json=event, headers={"Content-Type": STRUCTURED}, params=params)


def _bench(service):
    return service.client("bench", "B1", source_prefix="/benches/B1")


def test_a_client_upgraded_between_two_tries_is_told_that_its_event_is_known(service):
    bench = _bench(service)
    first = _posted(bench, _first("V1"))
    for again in (_first("V1"), _second(_first("V1")), _second(_first("V1"), origin="measured")):
        answer = _posted(bench, again)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "duplicate"
        assert answer.json()["position"] == first.json()["position"]


def test_a_client_not_yet_upgraded_may_retry_what_an_upgraded_one_sent(service):
    bench = _bench(service)
    assert _posted(bench, _second(_first("V2"))).status_code == 201
    assert _posted(bench, _first("V2"), dry_run=True).json()["status"] == "duplicate"
    assert _posted(bench, _first("V2")).json()["status"] == "duplicate"


def test_what_really_differs_stays_a_conflict_with_both_hashes(service):
    bench, stored = _bench(service), _first("V3")
    other = _second(stored, mounting="rigid")
    _posted(bench, stored)
    answer = _posted(bench, other)
    assert answer.status_code == 409
    assert answer.json()["stored_hash"] == content_hash(stored).hex()
    assert answer.json()["received_hash"] == content_hash(other).hex()


def test_both_versions_in_one_batch_are_one_event(service):
    bench, event = _bench(service), _first("V4")
    answer = post(bench, event, _second(event), _second(event, mounting="rigid"))
    assert [item["status"] for item in answer["items"]] == ["accepted", "duplicate", "rejected"]
    assert answer["items"][0]["position"] == answer["items"][1]["position"] is not None
