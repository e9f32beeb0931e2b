"""An import killed again and again: each line ends up in the log exactly once, and every projection is right."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from examples.prius.fleet import plant
from examples.simulated.generate import simulate
from tests.journeys.running import Running

IMPORT = ("import", "--no-decider", "--json")


def write_events(path: Path, motors_per_lot: int) -> int:
    """A simulated plant's events, one on each line; returns how many."""
    events = simulate(replace(plant(), motors_per_lot=motors_per_lot)).events
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return len(events)


def undisturbed(running: Running, path: Path) -> tuple[float, dict[str, str]]:
    """Import without any fault; returns how long it took, in seconds, and each projection's digest."""
    started = time.monotonic()
    summary = running.json(*IMPORT, str(path))
    seconds = time.monotonic() - started
    assert summary["rejected"] == 0, summary
    return seconds, digests(running)


def digests(running: Running) -> dict[str, str]:
    """Each projection's digest, after every stored byte and every projection was checked against the log."""
    found = running.json("verify")
    assert found["verified"], found
    return dict(found["projections"])


def kill_imports(
    running: Running, path: Path, kills: int, seconds: float, chance: random.Random, say: Callable[[str], None]
) -> None:
    """Cut the import off with SIGKILL `kills` times, each at a random moment within `seconds`.

    An import that ended before its moment came does not count; moments are sooner then, as repeats are quicker.
    """
    cut = 0
    while cut < kills:
        wait = chance.uniform(0.0, seconds)
        process = running.start(*IMPORT, str(path))
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        _, words = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), words
        if process.returncode == 0:
            seconds = wait
            continue
        cut += 1
        say(f"cut off {cut} of {kills} after {wait:.2f} s")


def check(running: Running, path: Path, expected: dict[str, str]) -> Counter[str]:
    """Import to the end; then each line is in the log once, and projections are those of an undisturbed import."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    summary = running.json(*IMPORT, str(path))
    assert summary["rejected"] == 0, summary
    assert summary["accepted"] + summary["duplicate"] == len(lines), summary
    exported = [json.loads(line) for line in running.command("export").stdout.splitlines()]
    stored = Counter((event["source"], event["id"]) for event in exported)
    assert stored == Counter((event["source"], event["id"]) for event in lines)
    assert set(stored.values()) == {1}
    found = digests(running)
    assert found == expected
    running.json("rebuild")
    assert digests(running) == found
    return Counter({name: summary[name] for name in ("accepted", "duplicate")})
