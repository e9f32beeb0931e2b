"""Traces: one trace id from the bench's request to the notice that a supplier reads, and in the log lines between."""

import json
import re
from itertools import count

import structlog
from structlog.testing import capture_logs

from services import tracing
from tests.doors.facts import efficiency
from tests.doors.service import BATCH, STRUCTURED, Service
from tests.inference.plants import made, requirement
from tests.inference.test_assess import specs

SENT = "4bf92f3577b34da6a3ce929d0e0e4736"
ASKED = "0af7651916cd43dd8448eb211c80319c"
STATE = ("genealogy", "certificates", "correlation", "lifetimes")


def traced(service: Service) -> str:
    """A plant of which every batch of facts came in a trace of its own, the results in `SENT`; then the engine."""
    engineer, admin = service.client("engineer", "erin"), service.client("admin")
    for text in specs():
        assert engineer.post("/v1/specs", json=text).status_code == 201
    assert engineer.post("/v1/requirements", json=requirement("motor.dpsi_irr")).status_code == 201
    events, numbers = made("low_hcj", motors_per_lot=10).events, count(1)
    results = [event for event in events if ".tests." in event["type"]]
    for part in ([event for event in events if event not in results], results):
        for start in range(0, len(part), 200):
            trace = SENT if part is results else f"{next(numbers):032x}"
            headers = {"Content-Type": BATCH, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
            answer = admin.post("/v1/events", json=part[start : start + 200], headers=headers)
            assert answer.json()["rejected"] == 0
    service.turn()
    return SENT


def trace_of(event: dict) -> str | None:
    found = tracing.parse(event.get("traceparent"))
    return found.trace_id if found else None


def enacted(service: Service) -> dict:
    approver = service.client("approver", "paula")
    items = approver.get("/v1/proposals").json()["items"]
    case = next(item for item in items if item["requirement"] and item["state"] == "proposed")
    answer = approver.post(
        f"/v1/proposals/{case['id']}/decision",
        json={"decision": "approve", "reason": "The soak results are clear."},
        headers={"If-Match": f'"{case["version"]}"', "traceparent": f"00-{ASKED}-b7ad6b7169203331-01"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_notice_carries_the_trace_of_the_bench_s_request(service, decided):
    traced(service)
    state = {name: digest for name, digest in service.projector.digests()[1].items() if name in STATE}
    assert state == {name: digest for name, digest in decided.projector.digests()[1].items() if name in STATE}
    assert enacted(service)["notices"]
    log = [json.loads(event) for _, event in service.log.read_bytes(0, 10_000)]
    by_type: dict[str, list[dict]] = {}
    for event in log:
        by_type.setdefault(event["type"].split(".", 1)[1].rsplit(".", 1)[0], []).append(event)
    approved = by_type["proposals.proposal_approved"]
    assert {trace_of(event) for event in approved} == {ASKED}
    of_case = [event for event in by_type["proposals.revision_proposed"] if trace_of(event) == SENT]
    assert [event["data"]["case"] for event in of_case] == [approved[0]["data"]["case"]]
    told = [*by_type["proposals.proposal_enacted"], *by_type["specs.spec_revised"], *by_type["feeds.notice_issued"]]
    assert {trace_of(event) for event in told} == {SENT}
    assert {event["causationid"] for event in told} == {approved[0]["id"]}
    feed = feeds(service, by_type["feeds.notice_issued"])
    assert {trace_of(event) for event in feed} == {SENT}


def feeds(service: Service, notices: list[dict]) -> list[dict]:
    """What the suppliers that were told read in their feeds, and as server-sent events."""
    found = []
    for party in {event["data"]["party"]["id"] for event in notices}:
        with service.supplier(party) as client:
            page = [item["event"] for item in client.get("/v1/feed").json()["items"]]
            with client.stream("GET", "/v1/feed/stream") as stream:
                lines = (line for line in stream.iter_lines() if line.startswith("data: {"))
                sent = json.loads(next(lines).removeprefix("data: "))
        assert sent.get("event", sent)["traceparent"] == page[0]["traceparent"]
        found += page
    assert found
    return found


def test_an_event_that_came_without_a_trace_is_stored_without_and_the_request_has_one_in_its_line(service):
    bench = service.client("bench", source_prefix="/benches/B1")
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        bench.post("/v1/events", json=efficiency("M1"), headers={"Content-Type": STRUCTURED})
        given = f"00-{SENT}-00f067aa0ba902b7-01"
        bench.post("/v1/events", json=efficiency("M2"), headers={"Content-Type": STRUCTURED, "traceparent": given})
    assert b"traceparent" not in service.log.read_bytes(0, 9)[-2][1]
    assert f'"traceparent":"{given}"'.encode() in service.log.read_bytes(0, 9)[-1][1]
    first, second = (line for line in lines if line["event"] == "request")
    assert re.fullmatch(r"[0-9a-f]{32}", first["trace_id"]) and first["trace_id"] != SENT
    assert second["trace_id"] == SENT
    assert second["span_id"] != "00f067aa0ba902b7"
