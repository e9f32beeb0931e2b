"""`python -m tests.faults [--kills N] [--seed S]`: the long version of the faults; the short one is a test."""

import argparse
import random
import sys

from tests.faults.killed_import import check, kill_imports, undisturbed, write_events
from tests.journeys.running import Running


def main() -> int:
    """Kill imports, check, and say so; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often the import is killed")
    parser.add_argument("--motors", type=int, default=60, help="motors per lot in the imported plant")
    parser.add_argument("--seed", type=int, default=None, help="seed of the moments; none: a new one each time")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    calm, killed = Running(), Running()
    path = calm.home / "events.ndjson"
    try:
        print(f"{write_events(path, options.motors)} events, {options.kills} kills, seed {seed}")
        seconds, expected = undisturbed(calm, path)
        kill_imports(killed, path, options.kills, seconds, random.Random(seed), print)
        left = check(killed, path, expected)
    finally:
        calm.remove()
        killed.remove()
    print(f"The last import found {left['duplicate']} events and wrote {left['accepted']}.")
    print("Each line is in the log once; every projection equals the log folded again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
