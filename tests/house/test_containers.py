"""The image and the Compose file have the shape that the documents promise; no Docker engine is needed to see it."""

import re

import yaml

from tests.house.tree import ROOT


def _compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def _dockerfile():
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_compose_runs_postgres_then_migrates_then_serves():
    services = _compose()["services"]
    assert set(services) == {"postgres", "migrate", "service"}
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["service"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_image_is_pinned_to_a_version():
    images = [service["image"] for service in _compose()["services"].values()]
    images += re.findall(r"^FROM (\S+)", _dockerfile(), flags=re.MULTILINE)
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []


def test_what_must_survive_lies_in_a_volume():
    compose = _compose()
    mounts = [mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])]
    assert set(mounts) == set(compose["volumes"])


def test_what_stays_up_says_whether_it_is_well():
    services = _compose()["services"]
    assert services["postgres"]["healthcheck"]["test"]
    assert "/readyz" in str(services["service"]["healthcheck"]["test"])


def test_no_password_stands_in_the_file_and_the_door_opens_to_this_machine_only():
    compose = _compose()
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith(
        "${LODESTONE_DATABASE_PASSWORD:?"
    )
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["service"]["ports"])


def test_the_image_is_built_in_two_stages_by_hash_and_runs_without_root():
    text = _dockerfile()
    assert len(re.findall(r"^FROM ", text, flags=re.MULTILINE)) == 2
    assert "--require-hashes" in text
    assert re.findall(r"^USER (\w+)", text, flags=re.MULTILINE)[-1] == "lodestone"


def test_the_image_copies_every_package():
    copied = set(re.findall(r"^COPY (\w+) \w+$", _dockerfile(), flags=re.MULTILINE))
    assert copied == {"events", "projections", "services", "migrations", "examples"}
