"""`python -m tests.faults [PART…] [--kills N] [--seed S]`: the long version of the faults; the short ones are tests."""

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

from tests.faults.killed_import import check, kill_imports, undisturbed, write_events
from tests.faults.killed_service import kill_under_load
from tests.faults.stack.killed import fault_the_stack
from tests.faults.stack.plant import Plant
from tests.journeys.running import Running

REPORT = Path("build/faults.json")
MOTORS_PER_LOT = 60


def main() -> int:
    """Kill, check, and write what became of it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; none: all of them")
    parser.add_argument("--kills", type=int, default=100, help="how many kills each part makes")
    parser.add_argument("--seed", type=int, default=None, help="seed of the moments; none: a new one each time")
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    seed = random.randrange(2**32) if options.seed is None else options.seed
    for part in options.parts or PARTS:
        print(f"{part}: {options.kills} kills, seed {seed}")
        report = PARTS[part](options.kills, seed)
        print(json.dumps(report, indent=1))
        _keep(report if part == "stack" else {part: report})
    print(
        f"Everything that was acknowledged is in the log once; every projection equals the log folded again. {REPORT}"
    )
    return 0


def _load(kills: int, seed: int) -> dict[str, Any]:
    """Service, worker and database killed while benches post."""
    running = Running()
    try:
        return {**kill_under_load(running, kills, seed, print).shown(), "seed": seed}
    finally:
        running.remove()


def _import(kills: int, seed: int) -> dict[str, Any]:
    """`lodestone import` killed again and again."""
    calm, killed = Running(), Running()
    path = calm.home / "events.ndjson"
    try:
        offered = write_events(path, MOTORS_PER_LOT)
        seconds, expected = undisturbed(calm, path)
        kill_imports(killed, path, kills, seconds, random.Random(seed), print)
        left = check(killed, path, expected)
    finally:
        calm.remove()
        killed.remove()
    return {"kills": kills, "offered": offered, "written_by_the_last_import": left["accepted"], "seed": seed}


def _stack(kills: int, seed: int) -> dict[str, Any]:
    """Everything killed, paused and cut off while benches post and publish."""
    plant = Plant()
    try:
        return {**fault_the_stack(plant, kills, seed, print).shown(), "seed": seed}
    finally:
        plant.remove()


PARTS = {"stack": _stack, "load": _load, "import": _import}


def _keep(report: dict[str, Any]) -> None:
    kept = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(kept | report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
