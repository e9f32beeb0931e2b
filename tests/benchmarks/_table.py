"""What the benchmarks share: rows of ours against a yardstick, rounds in turn, the table, and build/bench.json."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

Row = dict[str, Any]
RESULTS = Path("build") / "bench.json"


def row(ours: float, yardstick: float | None, name: str, unit: str = "s") -> Row:
    """One row of seconds; ratio above 1 means that ours is faster (or inside the budget) by that factor."""
    ratio = None if yardstick is None else yardstick / ours
    return {"ours": ours, "yardstick": yardstick, "yardstick_name": name, "ratio": ratio, "unit": unit}


def rate(ours: list[float], yardstick: list[float] | float | None, name: str, unit: str = "events/s") -> Row:
    """One row of rates: medians of rounds, their ratio, and as `spread` the slowest and the fastest round."""
    theirs = median(yardstick) if isinstance(yardstick, list) else yardstick
    found = {
        "ours": median(ours),
        "yardstick": theirs,
        "yardstick_name": name,
        "ratio": None if theirs is None else median(ours) / theirs,
        "unit": unit,
        "spread": [min(ours), max(ours)],
    }
    if isinstance(yardstick, list):
        found["yardstick_spread"] = [min(yardstick), max(yardstick)]
        # Rounds stand side by side, so what the machine did besides hits both alike.
        found["ratio"] = median(mine / other for mine, other in zip(ours, yardstick, strict=True))
    return found


def in_turn(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Every contestant once in each round, one after another, so that a slow minute hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            found[name].append(contestant())
    return found


def report(rows: Mapping[str, Row]) -> str:
    """The table as text."""
    lines = [f"{'what':<78} {'ours':>10} {'yardstick':>10} {'ratio':>8}  against"]
    for name, one in rows.items():
        theirs = "-" if one["yardstick"] is None else f"{one['yardstick']:.3g}"
        ratio = "-" if one["ratio"] is None else f"{one['ratio']:.3g}"
        lines.append(
            f"{name:<78} {one['ours']:>10.3g} {theirs:>10} {ratio:>8}  {one['yardstick_name']} ({one['unit']})"
        )
    return "\n".join(lines)


def merge(rows: Mapping[str, Row], path: Path = RESULTS) -> None:
    """Put the rows into the file, beside those of other benchmarks."""
    path.parent.mkdir(exist_ok=True)
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**kept, **rows}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
