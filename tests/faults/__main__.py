"""`python -m tests.faults [PART…] [--kills N] [--seed S]`: the long version of the faults; the short ones are tests."""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.killed_import import check, kill_imports, undisturbed, write_events
from tests.faults.killed_service import kill_under_load
from tests.faults.stack.filling import fill_disks, small_disks
from tests.faults.stack.jumping import Clocks, jump_clocks
from tests.faults.stack.killed import fault_the_stack, under_load
from tests.faults.stack.plant import Plant
from tests.journeys.running import Running

REPORT = Path("build/faults.json")
MOTORS_PER_LOT = 60
JUMPS = 20


def main() -> int:
    """Do harm, check, and write what became of it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; none: all of them")
    parser.add_argument(
        "--kills", type=int, default=None, help="how many kills each part makes; none: as many as usual"
    )
    parser.add_argument("--seed", type=int, default=None, help="seed of the moments; none: a new one each time")
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    seed = random.randrange(2**32) if options.seed is None else options.seed
    for name in options.parts or PARTS:
        part, usual = PARTS[name]
        kills = usual if options.kills is None else options.kills
        print(f"{name}: {f'{kills} kills, ' if usual else ''}seed {seed}")
        try:
            report = part(kills, seed)
        except AssertionError as error:
            print(f"{name}, seed {seed}, is not right: {error}", file=sys.stderr)
            _keep(name, {"wrong": str(error).splitlines()[0] if str(error) else "see its output", "seed": seed})
            return 1
        print(json.dumps(report, indent=1))
        _keep(name, report)
    print(
        f"Everything that was acknowledged is in the log once; every projection equals the log folded again. {REPORT}"
    )
    return 0


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def _load(kills: int, seed: int) -> dict[str, Any]:
    """Service, worker and database killed while benches post."""
    running = Running()
    try:
        return {**kill_under_load(running, kills, seed, _say).shown(), "seed": seed}
    finally:
        running.remove()


def _import(kills: int, seed: int) -> dict[str, Any]:
    """`lodestone import` killed again and again."""
    calm, killed = Running(), Running()
    path = calm.home / "events.ndjson"
    try:
        offered = write_events(path, MOTORS_PER_LOT)
        seconds, expected = undisturbed(calm, path)
        kill_imports(killed, path, kills, seconds, random.Random(seed), _say)
        left = check(killed, path, expected)
    finally:
        calm.remove()
        killed.remove()
    return {"kills": kills, "offered": offered, "written_by_the_last_import": left["accepted"], "seed": seed}


def _stack(kills: int, seed: int) -> dict[str, Any]:
    """Everything killed, paused and cut off while benches post and publish."""
    with Plant() as plant:
        return {**fault_the_stack(plant, kills, seed, _say).shown(), "seed": seed}


def _disk(kills: int, seed: int) -> dict[str, Any]:
    """The disks of both engines run full."""
    with Plant() as plant:
        small_disks(plant)
        outcome = under_load(plant, seed, lambda faults: fill_disks(faults, _say), _say, threads=1)
    return {**outcome.shown(), "seed": seed}


def _clock(kills: int, seed: int) -> dict[str, Any]:
    """The clocks of our processes jump."""
    with Plant() as plant:
        clocks = Clocks(plant)
        outcome = under_load(plant, seed, lambda faults: jump_clocks(faults, clocks, JUMPS, _say), _say, threads=1)
    return {**outcome.shown(), "seed": seed}


PARTS: dict[str, tuple[Callable[[int, int], dict[str, Any]], int]] = {
    "stack": (_stack, 200),
    "load": (_load, 30),
    "import": (_import, 30),
    "disk": (_disk, 0),
    "clock": (_clock, 0),
}
"""What does the harm, and how often it kills where nothing else is asked for."""


def _keep(name: str, report: dict[str, Any]) -> None:
    """One entry for each part; what the whole stack counts stands at the top."""
    kept = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    if name == "stack":
        kept = {part: kept[part] for part in PARTS if part in kept}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(kept | (report if name == "stack" else {name: report}), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
