"""`POST /v1/events`: statuses, counts, hashes, waiting, dry run, quarantine, limits."""

from datetime import timedelta

import orjson
from sqlalchemy import update

from events.canonical import content_hash
from services.store.log import wall_clock
from services.store.tables import idempotency
from tests.doors.facts import built, efficiency, lot, ref
from tests.doors.service import BATCH, STRUCTURED, post


def _one(client, event, **params):
    return client.post("/v1/events", json=event, headers={"Content-Type": STRUCTURED}, params=params)


def _bench(service, name="B1"):
    return service.client("bench", name, source_prefix=f"/benches/{name}")


def test_one_event_is_stored_once_and_then_known(service):
    bench, fact = _bench(service), efficiency("M1")
    first, second = _one(bench, fact), _one(bench, fact)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == {
        "index": 0,
        "id": fact["id"],
        "status": "accepted",
        "waiting": True,
        "position": first.json()["position"],
        "problem": None,
    }
    assert second.json()["status"] == "duplicate"
    assert second.json()["position"] == first.json()["position"]
    assert first.headers["Lodestone-Position"] == str(first.json()["position"])


def test_the_same_id_with_another_payload_shows_both_hashes(service):
    bench, fact = _bench(service), efficiency("M1", 93.1)
    other = {**fact, "data": {**fact["data"], "efficiency": {"value": 91.0, "unit": "%"}}}
    _one(bench, fact)
    answer = _one(bench, other)
    assert answer.status_code == 409
    body = answer.json()
    assert body["status"] == "rejected"
    assert body["stored_hash"] == body["problem"]["stored_hash"] == content_hash(fact).hex()
    assert body["received_hash"] == content_hash(other).hex()


def test_a_batch_counts_each_event_by_itself(service):
    bench = _bench(service)
    good, wrong = efficiency("M1"), efficiency("M2")
    wrong["data"]["efficiency"]["unit"] = "%%"
    answer = post(bench, good, good, wrong, "not an event")
    assert (answer["accepted"], answer["duplicate"], answer["rejected"], answer["waiting"]) == (1, 1, 2, 1)
    assert [item["status"] for item in answer["items"]] == ["accepted", "duplicate", "rejected", "rejected"]
    assert answer["items"][1]["position"] == answer["items"][0]["position"] == answer["position"]
    problem = answer["items"][2]["problem"]
    assert problem["status"] == 422
    assert problem["errors"][0]["pointer"] == "/data/efficiency/unit"


def test_a_result_waits_exactly_until_its_motor_is_built(service):
    bench, plant = _bench(service), service.client("manufacturing", source_prefix="/manufacturing/plant")
    assert post(bench, efficiency("M1"))["waiting"] == 1
    assert post(plant, built("M1"))["waiting"] == 0
    assert post(bench, efficiency("M1"))["waiting"] == 0
    admin = service.client("admin")
    assert post(admin, efficiency("M8"), built("M8"), dry_run=True)["waiting"] == 0
    assert post(admin, efficiency("M9"), built("M9"))["waiting"] == 0


def test_a_dry_run_answers_the_same_and_stores_nothing(service):
    bench, known = _bench(service), efficiency("M1")
    post(bench, known)
    head = service.log.head()
    fresh, wrong = efficiency("M2"), efficiency("M3", time="2026-03-01T08:00:00")
    answer = post(bench, fresh, fresh, known, wrong, dry_run=True)
    assert [item["status"] for item in answer["items"]] == ["accepted", "duplicate", "duplicate", "rejected"]
    assert "offset" in answer["items"][3]["problem"]["detail"]
    assert service.log.head() == head
    assert bench.get("/v1/quarantine").json()["items"] == []
    assert _one(bench, fresh, dry_run=True).status_code == 200


def test_nan_refuses_its_own_event_and_not_the_batch(service):
    good, bad = efficiency("M1"), efficiency("M2")
    body = orjson.dumps([good, bad]).replace(b"93.1", b"NaN", 2).replace(b"NaN", b"93.1", 1)
    answer = _bench(service).post("/v1/events", content=body, headers={"Content-Type": BATCH}).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert answer["items"][1]["problem"]["status"] == 422


def test_attributes_of_the_service_are_refused(service):
    answer = _one(_bench(service), efficiency("M1", recordedtime="2026-03-01T08:00:00Z", streamversion="1"))
    assert answer.status_code == 422
    assert {fault["pointer"] for fault in answer.json()["problem"]["errors"]} == {"/recordedtime", "/streamversion"}


def test_broken_json_is_refused_with_its_place(service):
    answer = _bench(service).post("/v1/events", content=b'[{"id": "1",\n "x": }]', headers={"Content-Type": BATCH})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["line"] == 2
    assert "line 2" in answer.json()["detail"]


def test_another_content_type_is_415_and_names_the_ones_spoken(service):
    bench = _bench(service)
    for media in ("text/csv", "application/json", "application/cloudevents+json; charset=latin-1"):
        answer = bench.post("/v1/events", content=b"{}", headers={"Content-Type": media})
        assert answer.status_code == 415, media
        assert answer.json()["type"] == "urn:lodestone:problem:unsupported-media"


def test_a_body_over_the_limit_is_413_declared_or_not(service):
    bench = _bench(service)
    big = b"[" + b" " * (300 * 1024) + b"]"

    def chunks():
        yield big[: 200 * 1024]
        yield big[200 * 1024 :]

    for content in (big, chunks()):
        answer = bench.post("/v1/events", content=content, headers={"Content-Type": BATCH})
        assert answer.status_code == 413
        assert answer.json()["limit_bytes"] == 256 * 1024


def test_refused_events_are_kept_shown_to_their_sender_and_resubmitted_corrected(service):
    one, two = _bench(service), _bench(service, "B2")
    wrong = efficiency("M1")
    wrong["data"]["colour"] = "red"
    post(one, wrong)
    post(one, wrong)
    kept = one.get("/v1/quarantine").json()["items"]
    assert len(kept) == 1
    assert kept[0]["event"] == wrong
    assert kept[0]["problem"]["errors"][0]["pointer"] == "/data/colour"
    assert set(kept[0]) == {"id", "received_at", "source", "event", "problem"}
    assert two.get("/v1/quarantine").json()["items"] == []
    assert two.post(f"/v1/quarantine/{kept[0]['id']}/resubmit").status_code == 404
    assert service.client("auditor").get("/v1/quarantine").json()["items"] == kept
    assert one.post(f"/v1/quarantine/{kept[0]['id']}/resubmit").status_code == 422
    del wrong["data"]["colour"]
    answer = one.post(f"/v1/quarantine/{kept[0]['id']}/resubmit", json=wrong)
    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")
    assert one.get("/v1/quarantine").json()["items"] == []


def test_the_quarantine_is_paged_oldest_first(service):
    bench = _bench(service)
    for number in range(5):
        post(bench, {"id": str(number)})
    seen, cursor = [], None
    while True:
        page = bench.get("/v1/quarantine", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["event"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert seen == ["0", "1", "2", "3", "4"]
    assert bench.get("/v1/quarantine", params={"cursor": "x"}).status_code == 422


def test_an_idempotency_key_gives_the_same_answer_again_and_refuses_another_request(service):
    bench, fact = _bench(service), efficiency("M1")
    headers = {"Content-Type": STRUCTURED, "Idempotency-Key": '"k-1"'}
    first = bench.post("/v1/events", json=fact, headers=headers)
    again = bench.post("/v1/events", json=fact, headers={**headers, "Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Lodestone-Position"] == first.headers["Lodestone-Position"]
    assert bench.post("/v1/events", json=efficiency("M2"), headers=headers).status_code == 422
    assert bench.post("/v1/events", json=fact, headers={**headers, "Idempotency-Key": "a b"}).status_code == 422


def test_a_refused_call_gives_its_idempotency_key_back(service):
    bench, fact = _bench(service), efficiency("M1")
    headers = {"Content-Type": STRUCTURED, "Idempotency-Key": "k-2"}
    assert bench.post("/v1/events", json={**fact, "time": "now"}, headers=headers).status_code == 422
    assert bench.post("/v1/events", json=fact, headers=headers).status_code == 201


def test_a_traceparent_of_the_request_stays_with_the_event(service):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    bench, fact = _bench(service), efficiency("M1")
    answer = bench.post("/v1/events", json=fact, headers={"Content-Type": STRUCTURED, "traceparent": trace})
    stored = orjson.loads(service.log.body(answer.json()["position"]))
    assert stored["traceparent"] == trace
    assert _one(bench, fact).json()["status"] == "duplicate"


def test_a_supplier_states_only_its_own_lots_and_a_bench_only_from_its_own_bench(service):
    magnus, bench = service.supplier("magnus"), _bench(service)
    assert post(magnus, lot("L1"))["accepted"] == 1
    foreign = lot("L1", supplier="ferrum")
    foreign["source"] = "/suppliers/magnus"
    assert post(magnus, foreign)["items"][0]["problem"]["status"] == 403
    assert post(magnus, {**lot("L2"), "source": "/suppliers/magnus-2"})["items"][0]["problem"]["status"] == 403
    assert _one(bench, efficiency("M1", bench="B10")).status_code == 403
    assert _one(bench, built("M1")).status_code == 403
    assert ref("magnus", "L1") == lot("L1")["data"]["lot"]


def test_while_the_first_call_with_a_key_still_runs_the_second_is_told_to_wait(service):
    bench, fact = _bench(service), efficiency("M1")
    headers = {"Content-Type": STRUCTURED, "Idempotency-Key": "k-3"}
    bench.post("/v1/events", json=fact, headers=headers)
    with service.database.begin() as connection:
        connection.execute(update(idempotency).values(status=None, answer=None))
    assert bench.post("/v1/events", json=fact, headers=headers).status_code == 409
    with service.database.begin() as connection:
        connection.execute(update(idempotency).values(created_at=wall_clock() - timedelta(minutes=3)))
    assert bench.post("/v1/events", json=fact, headers=headers).json()["status"] == "duplicate"
