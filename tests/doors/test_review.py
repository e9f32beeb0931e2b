"""The review door on a decided plant: proposals, decisions, specifications, traces, why."""

import pytest

SIDES = {"lower", "target", "upper", "unit"}
ROLES = {
    "result", "motor", "lot", "certificate", "source", "requirement", "prior", "statistic", "proposal", "decision",
    "revision", "notice",
}  # fmt: skip


@pytest.fixture
def approver(decided):
    return decided.client("approver", "paula")


def _result_case(client):
    items = client.get("/v1/proposals").json()["items"]
    return next(item for item in items if item["requirement"] and item["state"] == "proposed")


def _decide(client, case, decision, version=None, **more):
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    body = {"decision": decision, "reason": "The soak results are clear.", **more}
    return client.post(f"/v1/proposals/{case['id']}/decision", json=body, headers=headers)


def test_a_proposal_has_the_shape_of_the_contract(decided, approver):
    case = _result_case(approver)
    one = approver.get(f"/v1/proposals/{case['id']}")
    assert one.headers["ETag"] == f'"{case["version"]}"'
    assert {key: one.json()[key] for key in case} == case
    assert case["id"] == case["case"]
    assert case["evidence"].keys() >= {"position", "method", "policy", "motors", "lots", "results"}
    assert case["evidence"]["motors"] > 0
    levels = set()
    for revision in case["revisions"]:
        levels.add(revision["level"])
        assert ":" in revision["spec"]
        if revision["new"] is not None:
            assert set(revision["new"]) == SIDES
            assert {"lower", "upper", "rule"} <= set(revision["acceptance"])
    assert {"magnet", "sourcing"} <= levels
    assert one.json()["derivations"][0]["steps"]
    assert approver.get("/v1/proposals/nothing").status_code == 404


def test_a_decision_names_the_version_that_it_saw(decided, approver):
    case = _result_case(approver)
    assert _decide(approver, case, "approve").status_code == 428
    stale = _decide(approver, case, "approve", case["version"] - 1)
    assert stale.status_code == 412
    assert stale.json()["actual"] == case["version"]
    weak = approver.post(
        f"/v1/proposals/{case['id']}/decision",
        json={"decision": "approve", "reason": "x"},
        headers={"If-Match": f'W/"{case["version"]}"'},
    )
    assert weak.status_code == 412
    assert _decide(approver, case, "approve", case["version"], reason=" ").status_code == 422
    assert _decide(approver, case, "perhaps", case["version"]).status_code == 422


def test_an_approval_issues_the_revisions_and_tells_the_suppliers_in_one_append(decided, approver):
    case = _result_case(approver)
    head = decided.log.head()
    made = _decide(approver, case, "approve", case["version"])
    assert made.status_code == 200, made.text
    body = made.json()
    assert body["proposal"]["state"] == "enacted"
    assert {item["spec"] for item in body["revisions"]} == {item["spec"] for item in case["revisions"]}
    assert body["notices"]
    assert body["position"] == decided.log.head() == int(made.headers["Lodestone-Position"])
    kinds = [event.type.split(".")[2] for event in decided.log.read(head, 100)]
    assert kinds[:2] == ["proposal_approved", "proposal_enacted"]
    assert kinds.count("notice_issued") == len(body["notices"])
    assert _decide(approver, case, "approve", case["version"]).status_code == 412
    assert _decide(approver, case, "approve", body["proposal"]["version"]).status_code == 409
    decided.fold()
    for item in body["revisions"]:
        spec = approver.get(f"/v1/specs/{item['spec']}").json()
        assert spec["revision"] == item["revision"]
        assert [revision["revision"] for revision in spec["revisions"]] == list(range(1, item["revision"] + 1))


def test_the_chain_behind_a_revised_limit_is_unbroken_and_told_in_sentences(decided, approver):
    case = _result_case(approver)
    _decide(approver, case, "approve", case["version"])
    decided.turn()
    target = next(item for item in case["revisions"] if item["level"] == "alloy" and item["new"])
    found = approver.get(f"/v1/why/{target['spec']}/{target['characteristic']}")
    assert found.status_code == 200, found.text
    body = found.json()
    assert set(body) == {"spec", "characteristic", "revision", "events"}
    assert {event["role"] for event in body["events"]} >= ROLES
    for event in body["events"]:
        assert set(event) == {"position", "type", "time", "role", "sentence"}
        stored = approver.get(f"/v1/events/{event['position']}").json()["event"]
        assert stored["type"] == event["type"]
    assert approver.get(f"/v1/why/{target['spec']}/magnet.nothing").status_code == 404


def test_an_amendment_makes_the_amender_unable_to_approve(decided, approver):
    case = _result_case(approver)
    item = next(item for item in case["revisions"] if item["new"] and item["new"]["lower"] is not None)
    limit = {"spec": item["spec"], "characteristic": item["characteristic"], "unit": item["new"]["unit"]}
    amended = _decide(
        approver, case, "amend", case["version"], limits=[{**limit, "lower": item["new"]["lower"] * 0.99}]
    )
    assert amended.status_code == 200, amended.text
    version = amended.json()["proposal"]["version"]
    assert amended.headers["ETag"] == f'"{version}"'
    assert amended.json()["proposal"]["amended_by"] == ["paula"]
    own = _decide(approver, case, "approve", version)
    assert own.status_code == 403
    assert "paula" in own.json()["detail"]
    other = decided.client("approver", "quentin")
    assert _decide(other, case, "approve", version).status_code == 200


def test_a_decision_with_an_idempotency_key_is_made_once(decided, approver):
    case = _result_case(approver)
    headers = {"If-Match": f'"{case["version"]}"', "Idempotency-Key": '"decide-1"'}
    body = {"decision": "reject", "reason": "Not convinced."}
    path = f"/v1/proposals/{case['id']}/decision"
    first, again = (approver.post(path, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["proposal"]["state"] == "rejected"
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_comment_changes_neither_version_nor_state(decided, approver):
    case = _result_case(approver)
    made = approver.post(f"/v1/proposals/{case['id']}/comments", json={"comment": "Looks right."})
    assert (made.status_code, made.json()["version"]) == (201, case["version"])
    assert approver.post(f"/v1/proposals/{case['id']}/comments", json={"comment": ""}).status_code == 422


def test_a_person_proposes_and_another_decides(decided, approver):
    engineer = decided.client("engineer", "erin")
    spec = engineer.get("/v1/specs").json()["items"][0]
    spec = next(item for item in engineer.get("/v1/specs").json()["items"] if item["level"] == "magnet")
    limit = spec["limits"][0]
    revision = {
        "spec": spec["spec"],
        "level": spec["level"],
        "item": spec["item"],
        "characteristic": limit["characteristic"],
        "new": {**limit["limits"], "lower": limit["limits"]["lower"] * 1.01},
        "why": "A customer asks for more margin.",
    }
    body = {"title": "More margin", "reason": "Customer letter of 3 March.", "revisions": [revision]}
    made = engineer.post("/v1/proposals", json=body)
    assert made.status_code == 201, made.text
    case = made.json()
    assert (case["conclusion"], case["proposed_by"], case["state"]) == ("manual", "erin", "proposed")
    assert case["revisions"][0]["old"]["lower"] == limit["limits"]["lower"]
    assert engineer.get(made.headers["Location"]).status_code == 200
    decided_on = _decide(approver, case, "approve", case["version"])
    assert decided_on.status_code == 200, decided_on.text
    assert decided_on.json()["revisions"] == [{"spec": spec["spec"], "revision": spec["revision"] + 1}]


def test_a_specification_is_issued_once_and_revised_only_by_a_proposal(decided):
    engineer = decided.client("engineer", "erin")
    spec = engineer.get("/v1/specs").json()["items"][0]
    names = ("limits", "sourcing", "effectivity", "reason", "level")
    issuer, _, name = spec["spec"].partition(":")
    item_issuer, _, item = spec["item"].partition(":")
    body = {key: spec[key] for key in names} | {"item": {"issuer": item_issuer, "id": item}}
    again = engineer.post("/v1/specs", json={**body, "spec": {"issuer": issuer, "id": name}})
    assert again.status_code == 409
    assert "POST /v1/proposals" in again.json()["detail"]


def test_a_requirement_is_revised_under_its_version_and_the_defaults_are_issued_once(decided):
    engineer = decided.client("engineer", "erin")
    item = engineer.get("/v1/requirements").json()["items"][0]
    one = engineer.get(f"/v1/requirements/{item['requirement']}")
    assert one.headers["ETag"] == '"1"'
    stored = next(e for e in decided.log.read(0, 10_000) if e.type.endswith("requirement_issued.v1"))
    body = {**stored.data, "confidence": 0.91}
    assert engineer.post("/v1/requirements", json=body).status_code == 428
    assert engineer.post("/v1/requirements", json=body, headers={"If-Match": '"7"'}).status_code == 412
    assert engineer.post("/v1/requirements", json=body, headers={"If-Match": '"1"'}).status_code == 201
    kinds = [event.type for event in decided.log.read(0, 10_000)]
    assert kinds.count("lodestone.policies.policy_issued.v1") == 1
    assert kinds.count("lodestone.sensitivities.sensitivity_assigned.v1") == len(
        {e.stream for e in decided.log.read(0, 10_000) if e.stream.startswith("sensitivities/")}
    )
    policy = engineer.get("/v1/policies").json()["items"][0]
    assert policy["version"] == 1


def test_lots_and_motors_are_traced_from_the_mine_to_the_motor(decided, approver):
    lots = approver.get("/v1/lots", params={"level": "magnet", "limit": 3}).json()
    assert lots["has_more"] is True
    lot = lots["items"][0]["lot"]
    whole = approver.get(f"/v1/lots/{lot}").json()
    assert whole["measurements"]
    trace = approver.get(f"/v1/lots/{lot}/trace").json()
    assert {item["level"] for item in trace["ancestors"]} >= {"alloy", "oxide"}
    motor = trace["motors"][0]["motor"]
    back = approver.get(f"/v1/motors/{motor}/trace").json()
    assert lot in [item["lot"] for item in back["magnets"]]
    assert {item["lot"] for item in trace["ancestors"]} <= {item["lot"] for item in back["ancestors"]}
    results = approver.get(f"/v1/motors/{motor}").json()
    assert results["built"] and not results["waiting"]
    assert results["results"][0]["event"]["position"] > 0
    assert approver.get("/v1/lots/no:lot").status_code == 404
    assert approver.get("/v1/motors/nothing").status_code == 404


def test_limits_are_tried_out_on_the_recorded_lots_and_nothing_is_written(decided, approver):
    head = decided.log.head()
    limit = {"characteristic": "magnet.HcJ", "lower": 1900, "unit": "kA/m"}
    found = approver.post("/v1/what-if", json={"limits": [limit]})
    assert found.status_code == 200, found.text
    body = found.json()
    assert body["stopped"] and set(body["caught"]) | set(body["good_lost"]) == set(body["stopped"])
    assert sum(row["stopped"] for row in body["by_supplier"].values()) == len(body["stopped"])
    kOe = {**limit, "lower": 1900 * 0.0125663706, "unit": "kOe"}
    assert approver.post("/v1/what-if", json={"limits": [kOe]}).json()["stopped"] == body["stopped"]
    assert approver.post("/v1/what-if", json={"limits": [{**limit, "unit": "V"}]}).status_code == 422
    assert decided.log.head() == head


def test_the_log_is_read_by_cursor_byte_for_byte_and_its_cursor_never_ends(decided, approver):
    page = approver.get("/v1/events", params={"limit": 5})
    assert [item["position"] for item in page.json()["items"]] == [1, 2, 3, 4, 5]
    assert decided.log.body(3) in page.content
    head = decided.log.head()
    last = approver.get("/v1/events", params={"cursor": str(head)}).json()
    assert last == {"items": [], "next_cursor": str(head), "has_more": False}
    assert approver.get(f"/v1/events/{head + 1}").status_code == 404


def test_schemas_are_served_for_every_type(decided):
    bench = decided.client("bench", source_prefix="/benches/B1")
    for item in bench.get("/v1/schemas").json()["items"][:5]:
        schema = bench.get(item["schema"])
        assert schema.json()["$id"] == f"urn:lodestone:schema:{item['type']}"
    assert bench.get("/v1/schemas/lodestone.none.v1").status_code == 404


def test_the_status_says_what_waits_and_what_is_open(decided, approver):
    status = approver.get("/v1/status").json()
    assert {"position", "projections", "quarantine", "waiting_for_genealogy", "proposals_open", "version"} <= set(
        status
    )
    assert status["proposals_open"] >= 1
    assert status["decider"]["position"] > 0
    assert all(set(item) == {"position", "lag", "lag_s"} for item in status["projections"].values())
