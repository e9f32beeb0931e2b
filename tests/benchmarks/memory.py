"""Whether memory stays flat: an import and a rebuild of many events, each in a process of its own, and their peaks."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks._memory_work import PARTS, WORK
from tests.benchmarks._table import Row, merge, report, row
from tests.doors.facts import built, efficiency, event, lot, ref
from tests.journeys.running import Running

EVENTS, MOST = 200_000, 1_000_000
LOTS = 1000
BUDGET_MB = 300.0


def facts(count: int) -> Iterator[dict[str, Any]]:
    """This many facts, one by one: a thousand lots, then motors with three results each, every tenth of two lots."""
    for number in range(min(LOTS, count)):
        yield {**lot(f"L{number}"), "id": f"lot-{number}"}
    for number in range(count - min(LOTS, count)):
        motor, kind = divmod(number, 4)
        yield {**_of_motor(motor, kind), "id": f"{kind}-{motor}"}


def _of_motor(number: int, kind: int) -> dict[str, Any]:
    motor, spread = f"M{number}", number * 7919 % 1000 / 1000
    if kind == 0:
        one = built(motor, f"L{number % LOTS}")
        if number % 10 == 0:
            one["data"]["magnets"].append({"lot": ref("magnus", f"L{(number + 1) % LOTS}"), "pieces": 6})
        return one
    result = efficiency(motor, 92.0 + spread)
    if kind == 1:
        return result
    common = {name: value for name, value in result["data"].items() if name != "efficiency"}
    if kind == 2:
        value = {"value": 41.0 + spread, "unit": "mV.min", "u": 0.1}
        flux = {"characteristic": "motor.Ke20", "value": value}
        return event("tests.flux_measured", "/benches/B1", common | flux)
    soak = {"temperature": {"value": 150, "unit": "Cel"}, "duration": {"value": 2, "unit": "h"}}
    loss = {"characteristic": "motor.dpsi_irr", "loss": {"value": 1 + spread, "unit": "%"}, "soak": soak}
    return event("tests.thermal_degradation_measured", "/benches/B1", common | loss)


def measured(work: str, path: Path, environment: dict[str, str]) -> list[float]:
    """The peaks of one piece of work, done by a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks._memory_work", work, str(path)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [float(peak) for peak in json.loads(done.stdout.splitlines()[-1])]


def rows(count: int) -> dict[str, Row]:
    """`memory_import` and `memory_rebuild`: the peak at a quarter, at half and at the end, beside the budget."""
    running = Running()
    found = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "facts.ndjson"
            with path.open("w") as file:
                file.writelines(json.dumps(one) + "\n" for one in facts(count))
            for work in WORK:
                peaks = measured(work, path, os.environ | running.environment)
                marks = {f"at {part:g}": round(peak, 1) for part, peak in zip(PARTS, peaks, strict=True)}
                found[f"memory_{work}"] = {**row(peaks[-1], BUDGET_MB, "budget", "MB"), "events": count, **marks}
    finally:
        running.remove()
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge; exit code 1 over the budget."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"how many; the promise is of {MOST}")
    options = parser.parse_args(arguments)
    found = rows(options.events)
    print(report(found))
    merge(found)
    return int(any(one["ours"] > BUDGET_MB for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
