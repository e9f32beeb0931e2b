"""Each role tries the calls of the others: all refused; a supplier sees nothing of another."""

import pytest

from events.refs import Ref
from tests.doors.facts import built, efficiency, lot
from tests.doors.notices import tell
from tests.doors.service import BATCH, post

ORDER = {"json": {"title": "x", "reason": "x"}}
CASE = "/v1/proposals/0b9f6f0e-0000-5000-8000-000000000000"
REVIEW = [
    ("GET", "/v1/proposals"), ("GET", CASE), ("POST", f"{CASE}/decision"), ("POST", f"{CASE}/comments"),
    ("POST", "/v1/proposals"), ("GET", "/v1/requirements"), ("POST", "/v1/requirements"), ("GET", "/v1/specs"),
    ("GET", "/v1/specs/plant:S-1"), ("POST", "/v1/specs"), ("GET", "/v1/policies"), ("POST", "/v1/policies"),
    ("GET", "/v1/lots"), ("GET", "/v1/lots/magnus:L1"), ("GET", "/v1/lots/magnus:L1/trace"),
    ("GET", "/v1/motors/plant:M1"), ("GET", "/v1/motors/plant:M1/trace"), ("POST", "/v1/what-if"),
]  # fmt: skip
AUDIT = [
    ("GET", "/v1/events"), ("GET", "/v1/events/1"), ("GET", "/v1/why/plant:S-1/magnet.Br"), ("GET", "/v1/log/proof/1"),
]  # fmt: skip
SUPPLIER = [
    ("GET", "/v1/feed"),
    ("GET", "/v1/feed/stream"),
    ("POST", "/v1/notices/n1/answer"),
    ("GET", "/v1/notices/n1/receipt"),
]
POSTING = [("POST", "/v1/events"), ("POST", "/v1/quarantine/x/resubmit")]
FOREIGN = {
    "bench": [*REVIEW, *AUDIT, *SUPPLIER],
    "manufacturing": [*REVIEW, *AUDIT, *SUPPLIER],
    "supplier": [*REVIEW, *AUDIT],
    "engineer": [*POSTING, SUPPLIER[2]],
    "approver": [*POSTING, SUPPLIER[2]],
    "auditor": [*POSTING, SUPPLIER[2], *(call for call in REVIEW if call[0] == "POST" and call[1] != "/v1/what-if")],
}


def _client(service, role):
    return service.supplier("magnus") if role == "supplier" else service.client(role, source_prefix=f"/{role}/1")


def _ask(client, method, path):
    return client.request(method, path, json={} if method == "POST" else None)


@pytest.mark.parametrize("role", sorted(FOREIGN))
def test_the_calls_of_other_roles_are_refused_and_nothing_is_written(service, role):
    client = _client(service, role)
    service.fold()
    head = service.log.head()
    for method, path in FOREIGN[role]:
        answer = _ask(client, method, path)
        assert answer.status_code == 403, f"{role} {method} {path}: {answer.status_code} {answer.text}"
        assert answer.json()["type"] == "urn:lodestone:problem:forbidden"
    assert service.log.head() == head


def test_a_refusal_is_the_same_for_what_exists_and_what_does_not(service):
    magnus, plant = service.supplier("magnus"), service.client("manufacturing", source_prefix="/manufacturing/plant")
    post(magnus, lot("L1"))
    post(plant, built("M1"))
    service.fold()
    for path in ("/v1/lots/magnus:{}", "/v1/motors/plant:{}"):
        known, unknown = (magnus.get(path.format(name)) for name in ("L1", "nothing"))
        assert known.status_code == unknown.status_code == 403
        assert known.json() == unknown.json()


def test_only_an_approver_approves_or_rejects(service):
    engineer = service.client("engineer")
    for decision in ("approve", "reject"):
        body = {"decision": decision, "reason": "because"}
        answer = engineer.post(f"{CASE}/decision", json=body, headers={"If-Match": '"2"'})
        assert answer.status_code == 403
        assert decision in answer.json()["detail"]


def test_what_the_service_concludes_is_never_posted(service):
    admin = service.client("admin")
    forged = {**efficiency("M1"), "type": "lodestone.specs.spec_issued.v1"}
    assert post(admin, forged)["items"][0]["problem"]["status"] in (403, 422)
    for kind in ("proposals.proposal_approved", "feeds.notice_issued", "access.token_issued"):
        item = post(admin, {**efficiency("M1"), "type": f"lodestone.{kind}.v1"})["items"][0]
        assert item["status"] == "rejected"


def test_two_suppliers_see_their_own_feed_and_nothing_of_the_other(service):
    magnus, ferrum = service.supplier("magnus"), service.supplier("ferrum")
    tell(service.log, "magnus", 1, 2)
    tell(service.log, "ferrum", 1)
    mine, theirs = (client.get("/v1/feed").json() for client in (magnus, ferrum))
    assert [item["sequence"] for item in mine["items"]] == [1, 2]
    assert [item["sequence"] for item in theirs["items"]] == [1]
    assert "ferrum" not in str(mine)
    assert "magnus" not in str(theirs)
    for path in ("/v1/feed?party=ferrum:ferrum", "/v1/feed?cursor=0&party=ferrum:ferrum"):
        assert "ferrum" not in magnus.get(path).text
    foreign = magnus.post("/v1/notices/ferrum-n1/answer", json={"answer": "acknowledged", "person": "M"})
    unknown = magnus.post("/v1/notices/nothing/answer", json={"answer": "acknowledged", "person": "M"})
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"].replace("ferrum-n1", "nothing") == unknown.json()["detail"]
    assert str(Ref(issuer="magnus", id="magnus")) == "magnus:magnus"


def test_a_supplier_answers_once_changes_its_answer_and_finds_both_in_its_feed(service):
    magnus = service.supplier("magnus")
    tell(service.log, "magnus", 1)
    path, body = "/v1/notices/magnus-n1/answer", {"answer": "acknowledged", "person": "M. Quality"}
    first, again = magnus.post(path, json=body), magnus.post(path, json=body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["position"] == again.json()["position"]
    assert first.json()["event"]["data"]["person"] == "M. Quality"
    assert magnus.post(path, json={"answer": "can_meet_from", "person": "M"}).status_code == 422
    meet = magnus.post(path, json={"answer": "can_meet_from", "person": "M", "from_date": "2026-05-01"})
    assert meet.status_code == 201
    assert magnus.post(path, json=body).status_code == 409
    entries = magnus.get("/v1/feed").json()["items"]
    assert [item["event"]["sequence"] for item in entries] == ["000000000001", "000000000002", "000000000003"]
    assert int(meet.headers["Lodestone-Position"]) == service.log.head()


def test_the_feed_s_cursor_never_ends_and_goes_on_where_it_was(service):
    magnus = service.supplier("magnus")
    empty = magnus.get("/v1/feed").json()
    assert empty == {"items": [], "next_cursor": "0", "has_more": False, "checkpoint": None}
    tell(service.log, "magnus", 1, 2, 3)
    page = magnus.get("/v1/feed", params={"limit": 2}).json()
    assert (len(page["items"]), page["next_cursor"], page["has_more"]) == (2, "2", True)
    page = magnus.get("/v1/feed", params={"cursor": page["next_cursor"]}).json()
    assert (page["items"][0]["sequence"], page["next_cursor"], page["has_more"]) == (3, "3", False)
    assert magnus.get("/v1/feed", params={"cursor": "3"}).json()["next_cursor"] == "3"
    assert magnus.get("/v1/feed", params={"cursor": "x"}).status_code == 422


def test_the_live_feed_gives_what_is_there_and_what_comes_from_the_last_id_on(service):
    magnus = service.supplier("magnus")
    tell(service.log, "magnus", 1, 2)
    seen = []
    with magnus.stream("GET", "/v1/feed/stream", headers={"Last-Event-ID": "1"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("id:"):
                seen.append(line)
                if len(seen) == 1:
                    tell(service.log, "magnus", 3)
                else:
                    break
    assert seen == ["id: 2", "id: 3"]


def test_two_suppliers_whose_programs_have_one_name_share_neither_quarantine_nor_keys(service):
    def client(party):
        return service.client("supplier", "api", party=f"{party}:{party}", source_prefix=f"/suppliers/{party}")

    magnus, ferrum = client("magnus"), client("ferrum")
    wrong = {**lot("L1"), "time": "now"}
    post(magnus, wrong)
    assert len(magnus.get("/v1/quarantine").json()["items"]) == 1
    assert ferrum.get("/v1/quarantine").json()["items"] == []
    headers = {"Content-Type": BATCH, "Idempotency-Key": "k"}
    one = magnus.post("/v1/events", json=[lot("L2")], headers=headers)
    two = ferrum.post("/v1/events", json=[lot("L2", supplier="ferrum")], headers=headers)
    assert (one.json()["accepted"], two.json()["accepted"]) == (1, 1)
    assert len(client("magnus").get("/v1/quarantine").json()["items"]) == 1
