"""What one motor adds to the sums: a pure function of its claims, so that a correction is a subtraction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

from events.canonical import canonical
from projections.folds.correlation.motor import Tested, motor_of
from projections.folds.correlation.rows import CrossSum, ResultGroup

SAMPLE = frozenset({"all", "random"})
"""Why a motor was tested when its result stands for the lot; suspects and retests are picked for their result."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One rotor of one motor under one condition: its group, and its columns summed over the repeats."""

    group: ResultGroup
    columns: Mapping[str, int]

    def rows(self) -> Iterable[Any]:
        """The group's counts, and every product of two columns."""
        yield self.group
        for a, b in combinations_with_replacement(sorted(self.columns), 2):
            yield CrossSum(self.group.group, a, b, self.columns[a] * self.columns[b], 1)


def contributions(home: str, claims: Sequence[Mapping[str, Any]]) -> Iterable[Unit]:
    """This motor's own part of the sums (statistics.md §0, a.5)."""
    motor = motor_of(home, claims)
    if motor is None or motor.motor_type is None or all(rotor.magnets is None for rotor in motor.rotors):
        return
    units: dict[tuple[int, bytes, bool], list[Tested]] = {}
    for test in motor.tests:
        if test.reason is None:
            says = test.says
            alike = canonical([says["metric"], says["condition"]])
            units.setdefault((test.rotor, alike, says["why"] in SAMPLE), []).append(test)
    for (rotor, _, sample), tests in units.items():
        group = _group(motor.motor_type, tests, sample, motor.rotors[rotor].pieces)
        yield Unit(group, _columns(motor.stator_batch, motor.rotors[rotor].magnets, tests))


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
