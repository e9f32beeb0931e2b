"""Correlation: exact integer sums over motors, what enters them, and what is kept and shown only."""

from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given, settings
from msgspec.structs import asdict, replace

from events.vocabulary import characteristics
from projections.folds.correlation import CORRELATION, CrossSum, MotorResults, ResultGroup
from projections.folds.correlation.results import SAMPLE
from projections.folds.memory import digest_rows
from projections.folds.written import read
from tests.folds.dictionaries import fold_all, state_digest
from tests.folds.plants import at, built, event, plants, recorded, ref, void

ETA = characteristics.find("motor.eta")


def measured(kind, id, name="M", hour=5, kelvin=24.0, bench="B1", why="all", **own):
    known = {"how": "model", "value": {"value": kelvin, "unit": "Cel", "u": 2}} if kelvin is not None else None
    point = own.pop("operating_point", {"speed": {"value": 1500, "unit": "/min"}})
    data = {"motor": ref(name), "bench": ref(bench), "tested_at": at(hour), "why": why, "operating_point": point, **own}
    return event(f"tests.{kind}", id, hour, {**data, **({"magnet_temperature": known} if known else {})})


def eta(id, value=93.0, **more):
    return measured("efficiency_measured", id, efficiency={"value": value, "unit": "%"}, **more)


def fold(*posted):
    return fold_all(CORRELATION, recorded(posted))


def sums(rows):
    return {(row.a, row.b): row.value for row in rows.tables[CrossSum].values()}


def groups(rows):
    return sorted(rows.tables[ResultGroup].values(), key=lambda row: (row.pieces, row.repeats, row.group))


def motor(rows, name="M"):
    return rows.tables[MotorResults][f"works:{name}",]


def reasons(rows, name="M"):
    return [test["reason"] for test in motor(rows, name).tests]


def test_a_motor_adds_the_products_of_its_columns_in_ticks_and_pieces():
    rows = fold(built(a=12, b=4), eta("1", 93.5, operator="ann"), eta("2", 93.7, kelvin=26.0, bench="B2"))
    (group,) = groups(rows)
    assert (group.motor_type, group.metric, group.pieces, group.repeats) == ("works:T", "motor.eta", 16, 2)
    assert (group.motors, group.results, group.selection) == (1, 2, "sample")
    assert group.condition == {"speed_rpm": 1500.0, "torque_Nm": None, "voltage_V": None}
    columns = {"1": 1, "y": 3500 + 3700, "dT": 40 + 60, "bench:works:B1": 1, "bench:works:B2": 1, "operator:ann": 1,
               "stator:ST1": 1, "lot:works:a": 12, "lot:works:b": 4}  # fmt: skip
    pairs = combinations_with_replacement(sorted(columns), 2)
    assert sums(rows) == {(a, b): columns[a] * columns[b] for a, b in pairs}
    assert Fraction(group.within_ss_by_repeats, group.repeats) == 2 * 100**2


@settings(max_examples=80, deadline=None)
@given(plants())
def test_the_sums_are_those_of_the_motors_rows_added_up_from_nothing(posted):
    rows = fold(*posted)
    expected: dict[tuple[str, str, str], list[int]] = {}
    counts: dict[str, list[int]] = {}
    for row in rows.tables[MotorResults].values():
        alike: dict[str, list] = {}
        for test in row.tests:
            if test["reason"] is None:
                key = (test["rotor"], test["metric"], str(test["condition"]), test["why"] in SAMPLE)
                alike.setdefault(str(key), []).append(test)
        for tests in alike.values():
            magnets = row.rotors[tests[0]["rotor"]]["magnets"]
            columns: dict[str, int] = {"1": 1, "y": 0, "dT": 0}
            columns |= {f"lot:{share['lot']}": share["pieces"] for share in magnets}
            columns |= {f"stator:{row.stator_batch}": 1} if row.stator_batch else {}
            for test in tests:
                columns["y"] += test["ticks"]
                columns["dT"] += test["dT"]
                for name in (f"bench:{test['bench']}", test["operator"] and f"operator:{test['operator']}"):
                    if name:
                        columns[name] = columns.get(name, 0) + 1
            group = next(
                item.group
                for item in groups(rows)
                if (item.motor_type, item.metric, item.condition, item.repeats, item.pieces, item.selection)
                == (row.motor_type, tests[0]["metric"], tests[0]["condition"], len(tests),
                    sum(share["pieces"] for share in magnets), "sample" if tests[0]["why"] in SAMPLE else "suspect")
            )  # fmt: skip
            counts.setdefault(group, [0, 0])[0] += 1
            counts[group][1] += len(tests)
            for a, b in combinations_with_replacement(sorted(columns), 2):
                there = expected.setdefault((group, a, b), [0, 0])
                there[0] += columns[a] * columns[b]
                there[1] += 1
    assert {key: [row.value, row.terms] for key, row in rows.tables[CrossSum].items()} == expected
    assert {row.group: [row.motors, row.results] for row in groups(rows)} == counts


def test_a_result_waits_for_its_motor_visibly_and_counts_the_moment_the_record_arrives():
    waiting = fold(eta("1"))
    assert (reasons(waiting), motor(waiting).waiting, groups(waiting)) == (["waiting_for_genealogy"], 1, [])
    assert state_digest(fold(eta("1"), built(a=4))) == state_digest(fold(built(a=4), eta("1")))
    assert len(groups(fold(eta("1"), built(a=4)))) == 1


def test_unknown_lots_and_unknown_magnet_temperature_are_shown_and_in_no_sum():
    assert reasons(fold(built(), eta("1"))) == ["lots_unknown"]
    rows = fold(built(a=4), eta("1", kelvin=None))
    assert reasons(rows) == ["magnet_temperature_unknown"] and motor(rows).tests[0]["value"] == 93.0
    assert groups(rows) == [] and sums(rows) == {}


@pytest.mark.parametrize("value", [1e9, 1e22, -1e300])
def test_a_value_beyond_the_range_of_exact_sums_is_shown_and_in_no_sum(value):
    flux = {"characteristic": "motor.Ke20", "value": {"value": value, "unit": "mV.min"}}
    rows = fold(built(a=4), measured("flux_measured", "1", **flux))
    assert reasons(rows) == ["out_of_range"] and groups(rows) == [] and motor(rows).tests[0]["value"] == value
    assert reasons(fold(built(a=4), eta("1", kelvin=1e30))) == ["out_of_range"]
    assert len(state_digest(rows)) == 64


def test_the_digest_is_that_of_the_number_however_a_home_gives_it_back():
    flux = {"characteristic": "motor.Ke20", "value": {"value": 1e22, "unit": "mV.min"}}

    def digest(value):
        row = motor(fold(measured("flux_measured", "1", **flux)))
        (claim,) = read(row.claims)
        assert claim[5][0] == 1e22
        claim[5][0] = value
        return digest_rows({MotorResults: [asdict(replace(row, claims=[claim]))]})

    assert digest(10**22) == digest(1e22) != digest(1e21)


def test_a_voided_test_counts_nowhere_whichever_arrives_first_and_stays_readable():
    once = fold(built(a=4), eta("2"))
    for posted in ([eta("1"), void("v", "1")], [void("v", "1"), eta("1")]):
        rows = fold(built(a=4), eta("2"), *posted)
        assert sums(rows) == sums(once) and state_digest(rows) == state_digest(once)
        assert [(item["id"], item["fate"]) for item in motor(rows).gone] == [("1", "voided")]


def test_a_void_that_is_replaced_is_lifted_in_any_order():
    other = void("w", "2", replaces={"source": "/plant", "id": "v"})
    tests, expected = [built(a=4), eta("1"), eta("2", 94.0)], state_digest(fold(built(a=4), eta("1")))
    for posted in ([void("v", "1"), other], [other, void("v", "1")]):
        assert state_digest(fold(*tests, *posted)) == state_digest(fold(*posted, *tests)) == expected


def test_two_voids_of_one_test_both_have_to_be_lifted():
    lift = void("w", "nothing", replaces={"source": "/plant", "id": "v1"})
    rows = fold(built(a=4), eta("1"), void("v1", "1"), void("v2", "1"), lift)
    assert groups(rows) == [] and motor(rows).gone[0]["fate"] == "voided"


def test_a_result_replaced_on_another_motor_leaves_the_first_in_any_order():
    right = eta("right", 94.0, name="N", replaces={"source": "/plant", "id": "wrong"})
    both = [built("M", a=4), built("N", a=4)]
    for posted in ([eta("wrong"), right], [right, eta("wrong")]):
        rows = fold(*both, *posted)
        assert (motor(rows, "M").results, motor(rows, "N").results) == (0, 1)
        assert groups(rows)[0].motors == 1


def test_a_result_belongs_to_the_rotor_that_was_in_the_motor_when_it_was_tested():
    swap = {"motor": ref("M"), "replaced_at": at(10), "reason": "Balance.", "magnets": [{"lot": ref("b"), "pieces": 8}]}
    replaced = event("motors.rotor_replaced", "swap", 10, swap)
    tests = [eta("before", hour=9), eta("after", hour=11)]
    rows = fold(*tests, replaced, built(a=4))
    assert [test["rotor"] for test in motor(rows).tests] == [0, 1]
    assert [(group.pieces, group.repeats) for group in groups(rows)] == [(4, 1), (8, 1)]
    assert ("lot:works:a", "lot:works:b") not in sums(rows)
    assert state_digest(rows) == state_digest(fold(built(a=4), replaced, *reversed(tests)))


def test_unequal_soak_conditions_are_never_in_one_group():
    def soak(id, temperature, hours=2, **more):
        exposure = {"temperature": {"value": temperature, "unit": "Cel"}, "duration": {"value": hours, "unit": "h"}}
        loss = {"characteristic": "motor.dpsi_irr", "loss": {"value": 1, "unit": "%"}, "soak": {**exposure, **more}}
        return measured("thermal_degradation_measured", id, operating_point={}, **loss)

    fault = {"fault_current": {"value": 150, "unit": "A"}}
    rows = fold(built(a=4), soak("1", 150), soak("2", 120), soak("3", 150, 4), soak("4", 150, 2, **fault))
    assert [group.repeats for group in groups(rows)] == [1, 1, 1, 1]
    assert groups(fold(built(a=4), soak("1", 150), soak("2", 150)))[0].repeats == 2


def test_suspects_are_kept_apart_from_the_sample():
    rows = fold(built(a=4), eta("1"), eta("2", why="suspect"), eta("3", why="retest"))
    assert sorted((group.selection, group.repeats) for group in groups(rows)) == [("sample", 1), ("suspect", 2)]


def test_units_are_converted_before_ticks_are_taken():
    flux = {"characteristic": "motor.Ke20", "value": {"value": 86.5, "unit": "V/krpm"}}
    kelvin = {"how": "model", "value": {"value": 313.15, "unit": "K", "u": 1}}
    rows = fold(built(a=4), measured("flux_measured", "1", kelvin=None, magnet_temperature=kelvin, **flux))
    assert (motor(rows).tests[0]["ticks"], motor(rows).tests[0]["dT"]) == (86500, 200)


def test_a_flux_referred_to_a_temperature_holds_there():
    flux = {"characteristic": "motor.Ke20", "value": {"value": 86, "unit": "mV.min"}}
    referred = measured("flux_measured", "1", kelvin=60.0, referred_to={"value": 20, "unit": "Cel"}, **flux)
    assert motor(fold(built(a=4), referred)).tests[0]["dT"] == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_build_records_the_lower_holds(order):
    posted = [built(a=4, hour=1, id="late"), built(b=4, hour=0, id="early")]
    rows = fold(eta("1"), *(posted[index] for index in order))
    assert ("lot:works:b", "lot:works:b") in sums(rows) and ("lot:works:a", "lot:works:a") not in sums(rows)


def test_a_motor_whose_results_version_2_kept_shows_them_until_it_is_folded_again():
    row = motor(fold(built(a=4), eta("1"), eta("2", why="suspect", bench="B2"), void("v", "2")))
    build, _good, gone = claims = read(row.claims)
    assert build[4] == "motor_built" and gone[6] == "voided"

    def before(claim):
        kept = dict(zip(("time", "source", "id", "position", "type", "says", "fate"), claim, strict=False))
        if claim is not build:
            (shown,) = [one for one in (*row.tests, *row.gone) if one["bench"] == f"works:{kept['says'][6][4][6:]}"]
            kept["says"] = {name: value for name, value in shown.items() if name in SAID and value is not None}
        return kept

    old = replace(row, claims=[before(claim) for claim in claims])
    assert (old.tests, old.gone, old.test_events) == (row.tests, row.gone, row.test_events)
    assert digest_rows({MotorResults: [asdict(old)]}) == digest_rows({MotorResults: [asdict(row)]})


SAID = {
    "type", "metric", "value", "u", "unit", "ticks", "temperature_Cel", "how", "dT", "bench", "operator", "fixture",
    "calibration", "standard", "tested_at", "why", "condition", "origin",
}  # fmt: skip
"""What version 2 kept of a result, by name, where it was stated."""
