"""What holds at every door: problem details, positions, request ids, security headers, the OpenAPI document."""

import pytest
from sqlalchemy import create_engine, text

from events import errors
from services.exchange.problems import TABLE, problem
from tests.doors.facts import built, efficiency
from tests.doors.service import BATCH, STRUCTURED, post


def _is_problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail", "errors"} <= set(body)
    assert body["status"] == status
    assert body["detail"].endswith((".", "…"))
    return body


def test_every_kind_of_error_has_its_line_in_the_table():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)]
    statuses = {kind.__name__: problem(kind("One sentence."))["status"] for kind in kinds}
    assert statuses == {
        "DomainError": 500,
        "Invalid": 422,
        "UnknownType": 422,
        "Unauthenticated": 401,
        "Forbidden": 403,
        "NotFound": 404,
        "Gone": 410,
        "IdentityConflict": 409,
        "Refused": 409,
        "VersionConflict": 412,
        "VersionRequired": 428,
        "TooLarge": 413,
        "Unavailable": 503,
    }
    assert TABLE[-1][0] is errors.DomainError


def test_without_a_token_or_with_a_wrong_one_nobody_is_told_anything(service):
    for headers in ({}, {"Authorization": "Bearer lode_wrong"}, {"Authorization": "Basic YTpi"}):
        for path in ("/v1/quarantine", "/v1/feed", "/v1/status"):
            answer = service.client().get(path, headers=headers)
            _is_problem(answer, 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    answer = service.client().post("/v1/events", json=efficiency("M1"), headers={"Content-Type": STRUCTURED})
    _is_problem(answer, 401)


def test_unknown_paths_methods_and_parameters_are_problems_too(service):
    auditor = service.client("auditor")
    _is_problem(auditor.get("/v1/nothing"), 404)
    _is_problem(auditor.put("/v1/events"), 405)
    body = _is_problem(auditor.get("/v1/quarantine", params={"limit": "many"}), 422)
    assert body["errors"][0]["pointer"] == "/query/limit"


def test_a_body_that_is_not_json_is_415_or_refused_with_its_place(service):
    supplier = service.supplier("magnus")
    path = "/v1/notices/n1/answer"
    _is_problem(supplier.post(path, content=b"a=1", headers={"Content-Type": "text/plain"}), 415)
    headers = {"Content-Type": "application/json"}
    body = _is_problem(supplier.post(path, content=b'{"answer":\n nothing}', headers=headers), 422)
    assert (body["line"], body["column"]) == (2, 2)


def test_every_answer_carries_the_position_of_the_projections_and_a_write_its_own(service):
    bench, auditor = service.client("bench", source_prefix="/benches/B1"), service.client("auditor")
    service.fold()
    before = int(auditor.get("/v1/status").headers["Lodestone-Position"])
    written = bench.post("/v1/events", json=[efficiency("M1")], headers={"Content-Type": BATCH})
    assert int(written.headers["Lodestone-Position"]) == written.json()["position"] > before
    assert int(auditor.get("/v1/status").headers["Lodestone-Position"]) == before
    service.fold()
    assert int(auditor.get("/v1/status").headers["Lodestone-Position"]) == service.log.head()
    assert service.client().get("/v1/nothing").headers["Lodestone-Position"] == str(service.log.head())


def test_a_read_waits_for_the_position_it_asks_for_and_says_when_to_come_back(service):
    auditor, bench = service.client("auditor"), service.client("bench", source_prefix="/benches/B1")
    position = post(bench, efficiency("M1"))["position"]
    answer = auditor.get("/v1/status", params={"min_position": position, "wait_s": 0.1})
    _is_problem(answer, 503)
    assert answer.headers["Retry-After"] == "1"
    service.fold()
    answer = auditor.get("/v1/status", params={"min_position": position, "wait_s": 0.1})
    assert answer.status_code == 200
    assert int(answer.headers["Lodestone-Position"]) >= position


def test_a_request_has_an_id_which_the_caller_may_choose(service):
    client = service.client()
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert len(client.get("/healthz", headers={"X-Request-Id": "a b\tc"}).headers["X-Request-Id"]) == 32


def test_health_readiness_and_measurements_need_no_token(service):
    client = service.client()
    assert client.get("/healthz").json()["status"] == "ok"
    ready = client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["parts"]) == {"database", "migrations", "log", "projections", "seals", "worker"}
    post(service.client("bench", source_prefix="/benches/B1"), efficiency("M1"), "x")
    text = client.get("/metrics").text
    assert 'lodestone_events_received_total{status="accepted"} 1.0' in text
    assert 'lodestone_events_received_total{status="rejected"} 1.0' in text
    assert "lodestone_append_duration_seconds_count 1.0" in text
    assert "lodestone_quarantine_items 1.0" in text


def test_pages_load_nothing_from_another_host(service):
    page = service.client().get("/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    assert "POST /v1/events" in page.text
    for mark in ("http://", "https://", "<script", "//cdn"):
        assert mark not in page.text.replace("https://json-schema.org", ""), mark
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert service.client().get("/static/lodestone.css").status_code == 200


def test_the_openapi_document_is_3_1_and_every_reference_in_it_leads_somewhere(service):
    api = service.client().get("/v1/openapi.json").json()
    assert api["openapi"].startswith("3.1")

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                target = api
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part.replace("~1", "/").replace("~0", "~")]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(api)
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            assert operation.get("tags"), f"{method} {path}"


@pytest.mark.parametrize("path", ["/", "/sign-in/x", "/no-such-page"])
def test_a_person_gets_pages_and_never_json(service, path):
    answer = service.client().get(path, headers={"Accept": "text/html"})
    assert answer.headers.get("content-type", "text/html").startswith("text/html")


def test_the_openapi_document_names_refusals_as_they_are(service):
    api = service.client().get("/v1/openapi.json").json()
    refused = api["paths"]["/v1/proposals"]["get"]["responses"]["403"]
    assert list(refused["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in str(api)
    assert api["paths"]["/v1/proposals"]["get"]["security"]
    assert "security" not in api["paths"]["/healthz"]["get"]


def test_a_name_with_a_slash_or_a_colon_in_it_is_found_encoded_once_or_twice(service):
    admin, auditor = service.client("admin"), service.client("auditor")
    fact = built("SERVO-7/00:01 50%")
    post(admin, fact)
    service.fold()
    name = "plant:SERVO-7%2F00%3A01%2050%25"
    for path in (name, name.replace("%", "%25"), name.replace(":", "%3A", 1)):
        found = auditor.get(f"/v1/motors/{path}")
        assert found.status_code == 200, (path, found.text)
        assert found.json()["motor"] == name


def test_a_database_that_goes_away_is_503_with_retry_after_and_recovers(service):
    bench = service.client("bench", source_prefix="/benches/B1")
    with service.database.begin() as connection:
        connection.execute(text("SELECT 1"))
    engine, service.database.engine = (
        service.database.engine,
        create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1}),
    )
    for path in ("/v1/quarantine", "/v1/status"):
        answer = bench.get(path)
        _is_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
    ready = bench.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"]["database"]["ready"] is False
    assert bench.get("/healthz").status_code == 200
    service.database.engine = engine
    assert bench.get("/v1/quarantine").status_code == 200
    assert bench.get("/readyz").status_code == 200
