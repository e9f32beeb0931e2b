"""Sign-in of people over HTTP: one-time links, cookies, CSRF."""

import httpx

from tests.doors.service import BATCH
from tests.waiting import PATIENCE_S


def _browser(service):
    return httpx.Client(base_url=service.url, headers={"Accept": "text/html"}, timeout=PATIENCE_S)


def test_a_link_signs_in_once_and_the_cookie_is_not_readable_by_scripts(service):
    code = service.sessions.link("engineer", "Elin")
    with _browser(service) as browser:
        answer = browser.get("/sign-in", params={"code": code})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "Elin" in browser.get("/docs").text or browser.get("/v1/status").status_code == 200
    with _browser(service) as other:
        again = other.get("/sign-in", params={"code": code})
        assert again.status_code == 401
        assert "used already" in again.text


def test_a_prefetch_does_not_use_the_link_up(service):
    code = service.sessions.link("engineer", "Elin")
    with _browser(service) as browser:
        assert browser.get("/sign-in", params={"code": code}, headers={"Sec-Purpose": "prefetch"}).status_code == 200
        assert browser.get("/sign-in", params={"code": code}).status_code == 303


def test_the_code_or_the_whole_link_may_be_pasted_but_not_by_another_site(service):
    with _browser(service) as browser:
        code = service.sessions.link("auditor", "Aud")
        evil = browser.post("/sign-in", data={"code": code}, headers={"Origin": "https://evil.example"})
        assert evil.status_code == 403
        link = f"{service.url}/sign-in?code={code}"
        assert browser.post("/sign-in", data={"code": link}, headers={"Origin": service.url}).status_code == 303
        assert browser.get("/v1/status").status_code == 200


def test_a_session_writes_only_with_its_csrf_value(service):
    browser = service.person("admin", "Root")
    headers = {"Content-Type": BATCH, "Accept": "application/json"}
    refused = browser.post("/v1/events", content=b"[]", headers=headers)
    assert refused.status_code == 403
    session = service.sessions.find(browser.cookies["lodestone_session"])
    assert browser.post("/v1/events", content=b"[]", headers={**headers, "X-CSRF-Token": "x"}).status_code == 403
    sent = browser.post("/v1/events", content=b"[]", headers={**headers, "X-CSRF-Token": session.csrf})
    assert sent.status_code == 200


def test_signing_out_needs_the_form_and_ends_the_session(service):
    browser = service.person("engineer", "Elin")
    session = service.sessions.find(browser.cookies["lodestone_session"])
    assert browser.post("/sign-out").status_code == 403
    assert browser.post("/sign-out", data={"csrf": session.csrf}).status_code == 303
    browser.cookies.set("lodestone_session", "gone")
    assert browser.get("/v1/status").status_code == 401


def test_a_supplier_lands_on_its_feed(service):
    code = service.sessions.link("supplier", "Quality", "magnus:magnus")
    with _browser(service) as browser:
        assert browser.get("/sign-in", params={"code": code}).headers["location"] == "/feed"
