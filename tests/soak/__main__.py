"""`python -m tests.soak [N]`: what an event costs and what a process holds at 10⁴, 10⁵ … N events; table and plot."""

import argparse
import json
import sys
from pathlib import Path

from tests.soak.growing import STEPS, Mark, grow

RESULTS, PLOT = Path("build/soak.json"), Path("build/soak.svg")
FIRST = 10_000
WITHIN = 1.3
"""How much more than in a small log an event may cost at the last mark."""


def sizes(last: int, first: int = FIRST) -> list[int]:
    """The first, ten times as many … up to the last, which is always there."""
    found, size = [], first
    while size < last:
        found.append(size)
        size *= 10
    return [*found, last]


def table(marks: list[Mark]) -> str:
    """The marks as text, costs in µs for each event."""
    names = " ".join(f"{name + ' µs':>10}" for name in (*STEPS, "total", "small"))
    head = f"{'events':>12} {names}  growth  resident MB  database MB"
    lines = [head]
    for mark in marks:
        costs = " ".join(f"{cost:>10.1f}" for cost in (*mark.cost_us.values(), mark.total_us, mark.small_us))
        lines.append(
            f"{mark.events:>12,} {costs} {mark.growth:>7.2f} {mark.resident_MB:>12.0f} {mark.database_MB:>12.0f}"
        )
    return "\n".join(lines)


def plot(marks: list[Mark], path: Path) -> None:
    """Cost by step and resident memory over the number of events, on logarithmic sizes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (cost, memory) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    at = [mark.events for mark in marks]
    cost.stackplot(at, [[mark.cost_us[step] for mark in marks] for step in STEPS], labels=STEPS, alpha=0.85)
    cost.set(xscale="log", xlabel="events in the log", ylabel="cost (µs for each event)", ylim=(0, None))
    cost.plot(at, [mark.small_us for mark in marks], "k--", label="a small log, at the same time")
    cost.legend(loc="lower right", reverse=True)
    memory.plot(at, [mark.resident_MB for mark in marks], marker="o")
    memory.set(xscale="log", xlabel="events in the log", ylabel="resident memory of the process (MB)", ylim=(0, None))
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> int:
    """Grow, print, write build/soak.json and build/soak.svg; exit code 1 when the cost grew by more than 1.3 ×."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=100_000, metavar="N", help="how far the log grows")
    parser.add_argument("--first", type=int, default=FIRST, help="the first mark; the next are ten times as far each")
    parser.add_argument("--within", type=float, default=WITHIN, help="how many times as much an event may cost at last")
    options = parser.parse_args(arguments)
    if options.events < 1:
        parser.error("N is the number of events: at least 1")
    marks: list[Mark] = []
    RESULTS.parent.mkdir(exist_ok=True)
    for mark in grow(sizes(options.events, options.first)):
        marks.append(mark)
        print(
            f"{mark.events:,} events: {mark.total_us:.1f} µs each, {mark.growth:.2f} × a small log",
            file=sys.stderr,
        )
        found = {"marks": [one.shown() for one in marks], "growth": round(mark.growth, 3)}
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        plot(marks, PLOT)
    print(table(marks))
    print(f"At {mark.events:,} events one costs {mark.growth:.2f} × what it costs in a small log: {RESULTS}, {PLOT}.")
    return int(mark.growth > options.within)


if __name__ == "__main__":
    sys.exit(main())
