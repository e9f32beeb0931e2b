"""`lodestone verify-receipt`, `python -m services.verifier`, the file copied out: offline, with nothing else loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services import verifier
from tests.verifier.plant import Plant, event
from tests.waiting import PATIENCE_S

PARTY = "magnus:magnus"
LOADED = """
import sys, services.cli
sys.argv[1:] = ["verify-receipt", sys.argv[1], "--key", sys.argv[2], "--json"]
try:
    services.cli.main()
finally:
    ours = ("services", "events", "projections", "migrations", "examples")
    print(*(name for name in sys.modules if name.split(".")[0] in ours), file=sys.stderr)
"""


@pytest.fixture
def plant() -> Plant:
    return Plant(event("lots/a", 1), event(f"feeds/{PARTY}", 1), event("lots/b", 1))


@pytest.fixture
def saved(plant: Plant, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(plant.receipt(PARTY, 1)))
    return path


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload]
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S, **options
    )


def test_it_says_what_was_proven_and_exits_0(plant: Plant, saved: Path) -> None:
    done = run("-m", "services.cli", "verify-receipt", str(saved), "--key", plant.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "entry 1 of 1 in the feed of magnus:magnus is event 2 of 3 in the log lodestone.example/log" in done.stdout


def test_standard_input_is_read_and_any_of_several_keys_will_do(plant: Plant, saved: Path) -> None:
    other = Plant().key
    call = ["-m", "services.cli", "verify-receipt", "-", "--key", other, "--key", plant.key, "--json"]
    done = run(*call, input=saved.read_text())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["position"] == 2


def test_what_is_wrong_is_said_with_exit_1(plant: Plant, saved: Path) -> None:
    for arguments in (
        [str(saved), "--key", Plant().key],
        ["no-such-file", "--key", plant.key],
        [str(saved), "--key", "x"],
    ):
        done = run("-m", "services.cli", "verify-receipt", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("Wrong: ") and "Traceback" not in done.stderr
        answer = json.loads(run("-m", "services.cli", "verify-receipt", *arguments, "--json").stdout)
        assert answer["proven"] is None and answer["wrong"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "7", '{"items": []}', '{"items": [], "checkpoint": 7}', "{", "\x00", "\udcff"]
)
def test_what_is_no_receipt_is_wrong_and_never_a_traceback(plant: Plant, text: str) -> None:
    with pytest.raises(ValueError):
        verifier.check(text, [verifier.parse_verifier_key(plant.key)])


def test_nothing_of_the_service_is_loaded_but_the_verifier(plant: Plant, saved: Path) -> None:
    done = run("-c", LOADED, str(saved), plant.key)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stderr.split()) == ["services", "services.cli", "services.verifier"]


def test_the_module_runs_by_itself(plant: Plant, saved: Path) -> None:
    assert run("-m", "services.verifier", str(saved), "--key", plant.key).returncode == 0


def test_the_file_runs_where_nothing_else_of_ours_is(plant: Plant, saved: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "verifier.py"
    copy.parent.mkdir()
    shutil.copy(verifier.__file__, copy)
    done = run("-I", copy.name, str(saved), "--key", plant.key, cwd=copy.parent)
    assert done.returncode == 0, done.stderr
