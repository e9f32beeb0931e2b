"""What motors add to the sums: pure functions of their claims, so that a correction is a subtraction."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from msgspec.structs import replace

from events.canonical import canonical
from projections.folds.claims import Change
from projections.folds.correlation.motor import Known
from projections.folds.correlation.products import Moments, Products
from projections.folds.correlation.results import Said
from projections.folds.correlation.rows import CrossSum, ResultGroup
from projections.folds.fold import Rows

Place = tuple[str, str | None, tuple[tuple[str, int], ...], int]
"""Where a result belongs: motor type, stator batch, magnets [(lot, pieces)] and number of the rotor."""
Units = dict[tuple[Place, str], list[Said]]
"""The results of a motor that are summed together: those of one rotor, tested alike."""


def add(changes: Sequence[Change], rows: Rows) -> None:
    """Add what these motors say now to the sums, and take away what they said before (statistics.md §0, a.5)."""
    alike = _Alike()
    for _, old, new in changes:
        before, after = {} if old is None else _units(old), _units(new)
        for units, others, sign in ((after, before, 1), (before, after, -1)):
            for unit, tests in units.items():
                if not others or others.get(unit) != tests:
                    alike.add(unit[0], tests, sign)
    alike.write(rows)


def _units(motor: Known) -> Units:
    """What is said by the tests of a motor that count, those together that are summed together."""
    if motor.motor_type is None:
        return {}
    found: Units = {}
    places: dict[int, Place] = {}
    for test in motor.tests:
        if test.reason is None:
            place = places.get(test.rotor)
            if place is None:
                magnets = tuple([(share["lot"], share["pieces"]) for share in motor.rotors[test.rotor].magnets])
                place = places[test.rotor] = (motor.motor_type, motor.stator_batch, magnets, test.rotor)
            found.setdefault((place, test.says.setup.alike), []).append(test.says)
    return found


class _Alike:
    """Motors whose results differ in value and temperature only: everything else of them is summed once for all."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], tuple[Place, Sequence[Said], Moments]] = {}

    def add(self, place: Place, tests: Sequence[Said], sign: int) -> None:
        """Add the results of one rotor, tested alike (sign 1), or take them away (−1)."""
        first = tests[0]
        y, dT, setup = first.ticks, first.dT or 0, first.setup
        key: tuple[Any, ...] = (place, setup.alike, setup.bench, setup.operator)
        for says in tests[1:]:
            y += says.ticks
            dT += says.dT or 0
            key += says.setup.bench, says.setup.operator
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = place, tests, Moments()
        found[2].add(y, dT, sign)
        if len(tests) > 1:
            ticks = [says.ticks for says in tests]
            found[2].within += sign * (len(ticks) * sum(tick * tick for tick in ticks) - y**2)

    def write(self, rows: Rows) -> None:
        """Add the groups and the products to the sums."""
        products = Products()
        groups: dict[str, tuple[ResultGroup, list[int]]] = {}
        for place, tests, moments in self._found.values():
            head = _group(place[0], tests[0].setup.alike, sum(share[1] for share in place[2]), len(tests))
            counts = groups.setdefault(head.group, (head, [0, 0, 0]))[1]
            counts[0] += moments.n
            counts[1] += moments.n * len(tests)
            counts[2] += moments.within
            products.add(head.group, _constants(place, tests), moments)
        for head, (motors, results, within) in groups.values():
            rows.add(replace(head, motors=motors, results=results, within_ss_by_repeats=within))
        rows.add_all(CrossSum, products.sums())


@lru_cache(maxsize=4096)
def _group(motor_type: str, alike: str, pieces: int, repeats: int) -> ResultGroup:
    """The group of the motors that are tested alike, with nothing counted yet.

    The group's name is short, for every product carries it: 96 bits of SHA-256.
    """
    metric, condition, sample = orjson.loads(alike)
    selection = "sample" if sample else "suspect"
    named = {
        "motor_type": motor_type,
        "metric": metric,
        "condition": condition,
        "selection": selection,
        "pieces": pieces,
        "repeats": repeats,
    }
    name = hashlib.sha256(canonical(named)).hexdigest()[:24]
    return ResultGroup(name, motor_type, metric, condition, selection, pieces, repeats, 0, 0, 0)


def _constants(place: Place, tests: Sequence[Said]) -> Mapping[str, int]:
    """The columns that have one value for motors whose results differ in value and temperature only."""
    columns = {"1": 1}
    if place[1] is not None:
        columns[f"stator:{place[1]}"] = 1
    for lot, pieces in place[2]:
        columns[f"lot:{lot}"] = pieces
    for says in tests:
        bench, operator = f"bench:{says.setup.bench}", says.setup.operator
        columns[bench] = columns.get(bench, 0) + 1
        if operator:
            name = f"operator:{operator}"
            columns[name] = columns.get(name, 0) + 1
    return columns
