"""The owner of the database changes one byte and hides it; the command line finds it, and so does an outsider."""

import json
import subprocess
import sys
from pathlib import Path

from tests.faults.killed_import import write_events
from tests.house.tree import ROOT
from tests.journeys.running import Running
from tests.waiting import PATIENCE_S

FAULTS = ROOT / "tests" / "faults"


def tamper(running: Running, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FAULTS / "tamper.py"), *arguments],
        env=running.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return done.stdout


def independently(export: Path, checkpoint: Path, key: str) -> subprocess.CompletedProcess[str]:
    """The checker, isolated from everything that is installed beside the standard library."""
    command = [sys.executable, "-I", "-S", str(FAULTS / "independent.py"), str(export), str(checkpoint), key]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_a_changed_byte_is_found_by_the_service_and_by_an_outsider(running: Running) -> None:
    events, checkpoint, export = (running.home / name for name in ("events.ndjson", "checkpoint", "export.ndjson"))
    write_events(events, 1)
    running.command("import", "--no-decider", str(events))
    digests = running.json("digest", "--record")["digests"]
    checkpoint.write_text(running.command("seal").stdout)
    key = running.json("keys", "list")["items"][-1]["verifier_key"]
    honest = running.json("verify", "--checkpoint", str(checkpoint))
    assert honest["verified"] and honest["sealed"] == honest["position"] > 100
    assert honest["digests_checked"] == len(digests)
    assert honest["projections"] == digests
    running.command("export", "--output", str(export))
    assert independently(export, checkpoint, key).returncode == 0

    assert "position 57" in tamper(running, "57")
    found = running.command("verify", "--json", check=False)
    assert found.returncode == 1
    assert json.loads(found.stdout)["first_wrong_position"] == 57
    assert "Position 57" in found.stderr
    running.command("export", "--output", str(export))
    outside = independently(export, checkpoint, key)
    assert outside.returncode == 1
    assert "TAMPERED, positions 1 to" in outside.stdout
