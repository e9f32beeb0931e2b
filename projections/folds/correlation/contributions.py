"""What one motor adds to the sums: a pure function of its claims, so that a correction is a subtraction."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

from events.canonical import canonical
from projections.folds.correlation.motor import Tested, motor_of
from projections.folds.correlation.rows import CrossSum, ResultGroup

SAMPLE = frozenset({"all", "random"})
"""Why a motor was tested when its result stands for the lot; suspects and retests are picked for their result."""


def contributions(home: str, claims: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    """ResultGroup and CrossSum rows with this motor's own part of the sums (statistics.md §0, a.5)."""
    motor = motor_of(home, claims)
    if motor is None or motor.motor_type is None:
        return
    units: dict[tuple[int, bytes, bool], list[Tested]] = {}
    for test in motor.tests:
        if test.reason is None:
            says = test.says
            alike = canonical([says["metric"], says["condition"]])
            units.setdefault((test.rotor, alike, says["why"] in SAMPLE), []).append(test)
    for (rotor, _, sample), tests in units.items():
        magnets = motor.rotors[rotor].magnets
        group = _group(motor.motor_type, tests, sample, motor.rotors[rotor].pieces)
        yield group
        yield from _sums(group.group, _columns(motor.stator_batch, magnets, tests))


def _group(motor_type: str, tests: Sequence[Tested], sample: bool, pieces: int) -> ResultGroup:
    first, repeats = tests[0].says, len(tests)
    selection = "sample" if sample else "suspect"
    named = {
        "motor_type": motor_type,
        "metric": first["metric"],
        "condition": first["condition"],
        "selection": selection,
        "pieces": pieces,
        "repeats": repeats,
    }
    ticks = [test.says["ticks"] for test in tests]
    return ResultGroup(
        group=canonical(named).decode(),
        motor_type=motor_type,
        metric=first["metric"],
        condition=first["condition"],
        selection=selection,
        pieces=pieces,
        repeats=repeats,
        motors=1,
        results=repeats,
        within_ss_by_repeats=repeats * sum(tick * tick for tick in ticks) - sum(ticks) ** 2,
    )


def _columns(stator_batch: str | None, magnets: Any, tests: Sequence[Tested]) -> dict[str, int]:
    columns = {"1": 1, "y": 0, "dT": 0}
    if stator_batch is not None:
        columns[f"stator:{stator_batch}"] = 1
    for share in magnets:
        columns[f"lot:{share['lot']}"] = share["pieces"]
    for test in tests:
        says = test.says
        columns["y"] += says["ticks"]
        columns["dT"] += says["dT"]
        for name in (f"bench:{says['bench']}", f"operator:{says['operator']}" if says["operator"] else None):
            if name:
                columns[name] = columns.get(name, 0) + 1
    return columns


def _sums(group: str, columns: Mapping[str, int]) -> Iterable[CrossSum]:
    for a, b in combinations_with_replacement(sorted(columns), 2):
        yield CrossSum(group, a, b, columns[a] * columns[b], 1)
