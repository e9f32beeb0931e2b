"""The pages, driven in a real browser: read without scripts, decide, be told why not, answer a notice."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from services.verifier import check, parse_verifier_key
from tests.journeys.browser import Person, browser
from tests.journeys.running import Running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


def signed_in(chromium: Browser, example: Running, role: str, party: str | None = None, **how: bool) -> Person:
    options = ["--role", role, "--name", f"Pia {role}"] + (["--party", party] if party else [])
    link = example.command("link", "create", *options).stdout.strip()
    person = Person(chromium, example.url, **how)
    person.page.goto(link)
    return person


def case_of(example: Running, requirement: str) -> dict[str, object]:
    items = example.client("auditor", "Finn").get("/v1/proposals", params={"limit": 100}).json()["items"]
    found: dict[str, object] = next(item for item in items if str(item["requirement"]).endswith(requirement))
    return found


@pytest.mark.browser
def test_every_page_reads_without_scripts_and_without_another_host(example: Running, chromium: Browser) -> None:
    thermal, flux = case_of(example, "R-THERMAL"), case_of(example, "R-FLUX")
    reader = signed_in(chromium, example, "auditor", scripts=False)
    pages = {
        "queue": "/",
        "case-enacted": f"/cases/{thermal['id']}",
        "case-open": f"/cases/{flux['id']}",
        "specs": "/specs",
        "spec": "/specs/example-motors:magnet-MAG-N42UH-83",
        "why": "/why/example-motors:magnet-MAG-N42UH-83/magnet.HcJ",
        "lots": "/lots",
        "lot": "/lots/helion-magnets:M-HEL-03",
        "motor": "/motors/example-motors:TRACTION-50-0003",
        "motor-real": "/motors/ornl:PRIUS-2004-MG2-1",
        "feeds": "/feed",
        "log": "/audit",
        "calls": "/docs",
    }
    for name, path in pages.items():
        answer = reader.page.goto(path)
        assert answer is not None and answer.status == 200, (name, reader.page.content()[:2000])
        assert reader.page.locator("h1").count() == 1, name
        reader.picture(name)
    assert reader.foreign == []


@pytest.mark.browser
def test_synthetic_data_are_labelled_on_every_page_that_shows_them(example: Running, chromium: Browser) -> None:
    reader = signed_in(chromium, example, "auditor")
    thermal = case_of(example, "R-THERMAL")
    for path in (
        "/",
        f"/cases/{thermal['id']}",
        "/lots",
        "/lots/helion-magnets:M-HEL-03",
        "/motors/example-motors:TRACTION-50-0003",
        "/specs",
        "/specs/example-motors:magnet-MAG-N42UH-83",
        "/why/example-motors:magnet-MAG-N42UH-83/magnet.HcJ",
    ):
        reader.page.goto(path)
        assert "synthetic" in reader.page.inner_text("main").lower(), path
    reader.page.goto("/motors/ornl:PRIUS-2004-MG2-1")
    text = reader.page.inner_text("main")
    assert "Real measurements" in text and "synthetic" not in text.lower()
    assert "cannot blame a lot" in text


@pytest.mark.browser
def test_an_engineer_is_told_why_not_and_an_approver_decides_on_the_page(example: Running, chromium: Browser) -> None:
    case = case_of(example, "R-FLUX")
    engineer = signed_in(chromium, example, "engineer")
    engineer.page.goto(f"/cases/{case['id']}")
    assert engineer.page.get_by_role("button", name="Approve").is_disabled()
    assert "Only an approver" in engineer.page.inner_text("main")

    approver = signed_in(chromium, example, "approver", dark=True)
    approver.page.goto(f"/cases/{case['id']}")
    approver.picture("case-open-dark")
    approver.page.get_by_label("Reason").first.fill("The density record explains the weak lot.")
    approver.page.get_by_role("button", name="Approve").click()
    approver.page.wait_for_load_state()
    assert "enacted" in approver.page.inner_text("main"), approver.page.inner_text("main")[:500]
    assert "The density record explains the weak lot." in approver.page.inner_text("main")

    # And a page that went stale is refused, with nothing written
    engineer.page.get_by_label("Reason").first.fill("Later, please.")
    engineer.page.get_by_role("button", name="Defer").click()
    engineer.page.wait_for_load_state()
    assert "Traceback" not in engineer.page.content()
    assert engineer.page.locator("h1").inner_text() != ""
    assert case_of(example, "R-FLUX")["state"] == "enacted"


@pytest.mark.browser
def test_a_supplier_sees_only_its_own_feed_and_answers_there(example: Running, chromium: Browser) -> None:
    supplier = signed_in(chromium, example, "supplier", "norrland-permanent:norrland-permanent")
    assert supplier.page.url.endswith("/feed")
    text = supplier.page.inner_text("main")
    assert "Norrland Permanent" in text and "M-HEL" not in text and "helion" not in text.lower()
    supplier.picture("feed")
    receipt = supplier.context.request.get(
        str(supplier.page.get_by_role("link", name="receipt").last.get_attribute("href"))
    )
    key = supplier.context.request.get("/.well-known/lodestone/keys").json()["items"][0]["verifier_key"]
    assert check(receipt.text(), [parse_verifier_key(key)])["sequence"] == 1
    notice = supplier.page.locator("section.card").first
    notice.get_by_text("Answer", exact=True).first.click()
    notice.get_by_label("Your name").fill("N. Ek")
    notice.get_by_role("button", name="Send the answer").click()
    supplier.page.wait_for_load_state()
    assert "N. Ek" in supplier.page.inner_text("main")
    for path in ("/", "/lots/helion-magnets:M-HEL-03", "/audit", "/feed?party=helion-magnets:helion-magnets"):
        answer = supplier.page.goto(path)
        assert answer is not None and answer.status in (403, 404), path
