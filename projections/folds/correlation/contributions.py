"""What motors add to the sums: pure functions of their claims, so that a correction is a subtraction."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from events.canonical import canonical
from projections.folds.claims import Change
from projections.folds.correlation.motor import Known
from projections.folds.correlation.products import Columns, Products
from projections.folds.correlation.rows import ResultGroup
from projections.folds.fold import Rows

SAMPLE = frozenset({"all", "random"})
"""Why a motor was tested when its result stands for the lot; suspects and retests are picked for their result."""
Conditions = tuple[tuple[str, float | None], ...]
Unit = tuple[str, str | None, tuple[tuple[str, int], ...], int, str, Conditions, bool]
"""Tests of one rotor that are alike: motor type, stator batch, magnets, rotor, metric, condition, whether a sample."""


def add(changes: Sequence[Change], rows: Rows) -> None:
    """Add what these motors say now to the sums, and take away what they said before (statistics.md §0, a.5)."""
    products = Products()
    groups: dict[str, tuple[ResultGroup, list[int]]] = {}
    for _, old, new in changes:
        before, after = {} if old is None else _units(old), _units(new)
        for units, others, sign in ((after, before, 1), (before, after, -1)):
            for unit, tests in units.items():
                if others.get(unit) != tests:
                    head, within, columns = _counted(unit, tests)
                    counts = groups.setdefault(head.group, (head, [0, 0, 0]))[1]
                    counts[0] += sign
                    counts[1] += sign * head.repeats
                    counts[2] += sign * within
                    products.add(head.group, columns, sign)
    for head, (motors, results, within) in groups.values():
        rows.add(replace(head, motors=motors, results=results, within_ss_by_repeats=within))
    for product in products.sums():
        rows.add(product)


def _units(motor: Known) -> dict[Unit, list[Mapping[str, Any]]]:
    """What is said by the tests of a motor that count, those together that are summed together."""
    if motor.motor_type is None:
        return {}
    found: dict[Unit, list[Mapping[str, Any]]] = {}
    magnets: dict[int, tuple[tuple[str, int], ...]] = {}
    for test in motor.tests:
        if test.reason is None:
            says, rotor = test.says, test.rotor
            if rotor not in magnets:
                magnets[rotor] = tuple((share["lot"], share["pieces"]) for share in motor.rotors[rotor].magnets)
            condition = tuple(says["condition"].items())
            unit = (
                motor.motor_type, motor.stator_batch, magnets[rotor], rotor,
                says["metric"], condition, says["why"] in SAMPLE,
            )  # fmt: skip
            found.setdefault(unit, []).append(says)
    return found


def _counted(unit: Unit, tests: Sequence[Mapping[str, Any]]) -> tuple[ResultGroup, int, Columns]:
    """One rotor of one motor under one condition: its group, its within_ss_by_repeats, and its columns."""
    motor_type, stator_batch, magnets, _, metric, condition, sample = unit
    pieces, repeats, within = sum(share[1] for share in magnets), len(tests), 0
    if repeats > 1:
        ticks = [test["ticks"] for test in tests]
        within = repeats * sum(tick * tick for tick in ticks) - sum(ticks) ** 2
    head = _group(motor_type, metric, condition, sample, pieces, repeats)
    return head, within, _columns(stator_batch, magnets, tests)


@lru_cache(maxsize=4096)
def _group(motor_type: str, metric: str, condition: Conditions, sample: bool, pieces: int, repeats: int) -> ResultGroup:
    """The group of the motors that are tested alike, with nothing counted yet.

    The group's name is short, for every product carries it: 96 bits of SHA-256.
    """
    selection = "sample" if sample else "suspect"
    named = {
        "motor_type": motor_type,
        "metric": metric,
        "condition": dict(condition),
        "selection": selection,
        "pieces": pieces,
        "repeats": repeats,
    }
    name = hashlib.sha256(canonical(named)).hexdigest()[:24]
    return ResultGroup(name, motor_type, metric, dict(condition), selection, pieces, repeats, 0, 0, 0)


def _columns(
    stator_batch: str | None, magnets: Iterable[tuple[str, int]], tests: Sequence[Mapping[str, Any]]
) -> Columns:
    columns = {"1": 1, "y": 0, "dT": 0}
    if stator_batch is not None:
        columns[f"stator:{stator_batch}"] = 1
    for lot, pieces in magnets:
        columns[f"lot:{lot}"] = pieces
    for says in tests:
        columns["y"] += says["ticks"]
        columns["dT"] += says["dT"]
        bench, operator = f"bench:{says['bench']}", says.get("operator")
        columns[bench] = columns.get(bench, 0) + 1
        if operator:
            name = f"operator:{operator}"
            columns[name] = columns.get(name, 0) + 1
    return columns
