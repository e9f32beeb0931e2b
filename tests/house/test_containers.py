"""The image and the Compose file have the shape that the documents promise, and that `make stack` has too."""

import re

import pytest
import yaml

from services.stack.topology import ENGINES, PARTS, Places, environment
from tests.house.tree import ROOT

OURS = {part.name for part in PARTS}
PLACES = Places("data", "host", 1, "url", "service", "owner", "kafka")
PASSWORDS = ("LODESTONE_DATABASE_ADMIN_PASSWORD", "LODESTONE_DATABASE_OWNER_PASSWORD", "LODESTONE_DATABASE_PASSWORD")


def _text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def _compose():
    return yaml.safe_load(_text("docker-compose.yml"))


def _services():
    return _compose()["services"]


def test_compose_and_the_local_stack_have_the_same_parts():
    assert set(_services()) == {*ENGINES, *OURS}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_runs_the_same_command_after_the_same_others_and_is_told_the_same(part):
    service = _services()[part.name]
    image = set(re.findall(r"\b(LODESTONE_\w+)=", _text("Dockerfile")))
    assert tuple(service["command"]) == part.command
    assert set(service["depends_on"]) == set(part.after)
    assert set(service["environment"]) | image == set(environment(part, PLACES))


def test_who_depends_on_a_part_waits_until_it_is_well():
    wanted = {**dict.fromkeys(ENGINES, "service_healthy"), "migrate": "service_completed_successfully"}
    for service in _services().values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] == wanted[name]


def test_every_image_is_pinned_to_a_version():
    images = [service["image"] for service in _services().values()]
    images += re.findall(r"^FROM (\S+)", _text("Dockerfile"), flags=re.MULTILINE)
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []


def test_what_must_survive_lies_in_a_volume():
    compose = _compose()
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service["volumes"]]
    assert {mount[0] for mount in mounts if not mount[0].startswith("./")} == set(compose["volumes"])
    files = [mount for mount in mounts if mount[0].startswith("./")]
    assert all((ROOT / mount[0]).is_file() and mount[2] == "ro" for mount in files)


def test_what_stays_up_says_whether_it_is_well():
    services = _services()
    assert "SELECT 1" in str(services["postgres"]["healthcheck"]["test"])
    assert "--list" in str(services["kafka"]["healthcheck"]["test"])
    for part in PARTS:
        check = services[part.name]["healthcheck"]
        if part.door is not None:
            assert "/readyz" in str(check["test"])
        elif part.once:
            assert check == {"disable": True}
        else:
            assert tuple(check["test"]) == ("CMD", "lodestone", "health", *part.reports)


@pytest.mark.parametrize("name", sorted({*ENGINES, *OURS}))
def test_a_container_can_take_neither_the_machine_nor_more_than_its_share(name):
    service = _services()[name]
    assert service["security_opt"] == ["no-new-privileges:true"] and service["cap_drop"] == ["ALL"]
    assert service["mem_limit"] and service["cpus"] and service["pids_limit"]
    assert service["logging"]["options"]["max-size"]
    assert service.get("read_only", False) is (name != "kafka")


def test_no_password_stands_in_a_file_and_every_door_opens_to_this_machine_only():
    text = _text("docker-compose.yml")
    assert set(re.findall(r"\$\{(\w*PASSWORD)", text)) == set(PASSWORDS)
    assert all(f"${{{name}:?" in text and f"\n{name}=\n" in _text(".env.example") for name in PASSWORDS)
    ports = [port for service in _services().values() for port in service.get("ports", [])]
    assert len(ports) == 3 and all(port.startswith("127.0.0.1:") for port in ports)


def test_only_the_migration_is_told_who_owns_the_tables():
    told = {name for name, service in _services().items() if "_OWNER_" in str(service.get("environment"))}
    assert told == {"migrate", "postgres"}


def test_the_image_is_built_in_two_stages_by_hash_and_runs_without_root():
    text = _text("Dockerfile")
    assert len(re.findall(r"^FROM ", text, flags=re.MULTILINE)) == 2
    assert "--require-hashes" in text
    assert re.findall(r"^USER (\w+)", text, flags=re.MULTILINE)[-1] == "lodestone"


def test_the_image_copies_every_package():
    copied = set(re.findall(r"^COPY (\w+) \w+$", _text("Dockerfile"), flags=re.MULTILINE))
    assert copied == {"events", "projections", "services", "migrations", "examples"}
