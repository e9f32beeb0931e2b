"""Every command explains itself; wrong usage is exit 2, refusals exit 1; results and words keep to their streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

COMMANDS = (
    "serve", "worker", "run", "demo", "import", "export", "rebuild", "retry", "migrate", "status", "digest", "verify",
    "schema", "config", "seal", "keys list", "keys rotate", "recover", "verify-receipt",
    "token create", "token list", "token revoke", "link create",
)  # fmt: skip


def lodestone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
        timeout=PATIENCE_S,
    )


def test_the_help_lists_every_command_with_what_it_does() -> None:
    text = lodestone("--help").stdout
    for command in COMMANDS:
        assert command.split()[0] in text


@pytest.mark.parametrize(
    ("work", "spared"),
    [
        ("import services.cli.commands", {"sqlalchemy", "numpy", "fastapi", "services.wiring"}),
        ("import services.wiring, services.serving, services.worker", {"scipy", "fastapi", "kafka", "services.app"}),
    ],
    ids=["help", "a command that is no service"],
)
def test_nothing_is_loaded_that_is_not_needed(work: str, spared: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{work}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert spared & set(done.stdout.split()) == set()


@pytest.mark.parametrize("command", ["import", "token create"])
def test_a_command_explains_its_options(command: str) -> None:
    text = lodestone(*command.split(), "--help").stdout
    assert "--" in text and len(text.splitlines()) > 5


def test_wrong_usage_is_exit_2() -> None:
    assert lodestone("import").returncode == 2
    assert lodestone("no-such-command").returncode == 2
    assert lodestone("token", "create", "--role", "engineer").returncode == 2


def test_the_settings_are_explained_with_secrets_masked(tmp_path: Path) -> None:
    url = "postgresql://service:hunter2@db.example/lodestone"
    done = lodestone("config", "--json", LODESTONE_DATABASE_URL=url, LODESTONE_DATA_DIR=str(tmp_path))
    shown = json.loads(done.stdout)
    assert "hunter2" not in done.stdout
    assert shown["LODESTONE_DATA_DIR"] == {
        "value": str(tmp_path),
        "origin": "environment",
        "description": shown["LODESTONE_DATA_DIR"]["description"],
    }
    assert shown["LODESTONE_PORT"]["value"] == "8600"


def test_a_type_prints_its_schema_and_its_example() -> None:
    kind = "lodestone.tests.efficiency_measured.v1"
    schema = json.loads(lodestone("schema", kind).stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    example = json.loads(lodestone("schema", kind, "--example").stdout)
    assert example["type"] == kind
    assert kind in lodestone("schema").stdout.splitlines()


def test_an_unknown_type_is_one_sentence_on_standard_error() -> None:
    done = lodestone("schema", "lodestone.tests.efficiency_mesured.v1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "lodestone.tests.efficiency_measured.v1" in done.stderr
    assert "Traceback" not in done.stderr
