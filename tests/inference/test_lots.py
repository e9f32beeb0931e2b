"""Lots: selection at the reference, effects with their errors, verdicts, and what cannot be told apart."""

import copy
import math

import numpy as np
import pytest

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from projections.inference.conclude import conclude
from projections.inference.lots.contrasts import solve
from projections.inference.lots.effects import lot_model
from projections.inference.lots.ranking import shrunken
from projections.inference.lots.select import Merged, merge, select
from projections.inference.lots.shape import common_shape
from projections.inference.state import Life
from tests.inference.plants import BENCHES, FAULTS, made, requirement
from tests.inference.reference import groups_of, state_of

POLICY = Policy()
DYESTUFF = (
    (1545, 1440, 1440, 1520, 1580), (1540, 1555, 1490, 1560, 1495), (1595, 1550, 1605, 1510, 1560),
    (1445, 1440, 1595, 1465, 1545), (1595, 1630, 1515, 1635, 1625), (1520, 1455, 1450, 1480, 1445),
)  # fmt: skip


def dyestuff() -> Merged:
    rows = [
        [1.0, 1.0, *(1.0 if k == lot else 0.0 for k in range(6)), y - 1500.0]
        for lot, ys in enumerate(DYESTUFF)
        for y in ys
    ]
    table = np.array(rows)
    return Merged(("1", "bench:a", *(f"lot:{k}" for k in range(6)), "y"), table.T @ table, 30, 30, None)


def test_reml_reproduces_the_dyestuff_variances_and_shrinkage():
    merged = dyestuff()
    found = shrunken(merged, [f"lot:{k}" for k in range(6)], ["bench:a"], False)
    assert found.lot_variance == pytest.approx(1764.05, rel=1e-5)
    assert found.residual_variance == pytest.approx(2451.25, rel=1e-5)
    assert found.effects["lot:4"][0] == pytest.approx(0.7825 * (1600.0 - 1527.5), rel=1e-3)


def test_unshrunken_effects_are_the_lot_means_with_their_errors():
    merged = dyestuff()
    solved = solve(
        merged, [*(f"lot:{k}" for k in range(6)), "bench:a"], [{f"lot:{k}": 1.0, "bench:a": 1.0} for k in range(6)]
    )
    assert all(solved.estimable)
    assert solved.estimates + 1500.0 == pytest.approx([np.mean(ys) for ys in DYESTUFF])
    assert np.diag(solved.covariance) == pytest.approx(2451.25 / 5)


def test_motors_of_two_lots_count_by_their_pieces():
    """Without noise the effects come out exactly, whatever the mixtures."""
    events = [copy.deepcopy(event) for event in made(faults={}, mixed_every=3).events]
    truth = {f"{lot.supplier.id}:{lot.id}": lot.values["magnet.Br"] for lot in made(faults={}, mixed_every=3).lots}
    built = {
        event["data"]["motor"]["id"]: event["data"]["magnets"] for event in events if "motor_built" in event["type"]
    }
    for event in events:
        if "efficiency_measured" in event["type"]:
            magnets = built[event["data"]["motor"]["id"]]
            pieces = sum(part["pieces"] for part in magnets)
            blend = sum(truth[f"{p['lot']['issuer']}:{p['lot']['id']}"] * p["pieces"] for p in magnets) / pieces
            event["data"]["efficiency"]["value"] = 85.0 + 5.0 * round(blend, 4)
    state = state_of(events, requirement("motor.eta"), [])
    model = lot_model(state, Requirement.model_validate(requirement("motor.eta")), POLICY)
    for effect in model.effects:
        assert effect.estimate == pytest.approx(85.0 + 5.0 * truth[effect.lot], abs=2e-3)


def test_a_lot_on_a_bench_of_its_own_is_not_identifiable_and_the_settling_test_is_named():
    lot = FAULTS["low_br"][0]
    events = [copy.deepcopy(event) for event in made("low_br", mixed_every=0).events]
    built = {
        e["data"]["motor"]["id"]: e["data"]["magnets"][0]["lot"]["id"] for e in events if "motor_built" in e["type"]
    }
    for event in events:
        if ".tests." in event["type"] and built[event["data"]["motor"]["id"]] == lot:
            event["data"]["bench"]["id"] = "B9"
    found = conclude(state_of(events, requirement("motor.eta"), []), POLICY)
    verdict = next(item for item in found.verdicts if item.lot.endswith(lot))
    assert verdict.verdict == "not_identifiable"
    assert verdict.effect.estimate is None
    assert "B9" in str(verdict.reason) and BENCHES[0] in str(verdict.effect.test_to_settle)
    assert found.bad == ()
    assert {item.verdict for item in found.verdicts if item is not verdict} == {"conforms"}


def test_one_shared_bench_makes_the_lot_identifiable_again():
    lot = FAULTS["low_br"][0]
    events = [copy.deepcopy(event) for event in made("low_br", mixed_every=0).events]
    built = {
        e["data"]["motor"]["id"]: e["data"]["magnets"][0]["lot"]["id"] for e in events if "motor_built" in e["type"]
    }
    kept = 0
    for event in events:
        if "efficiency" in event["type"] and built[event["data"]["motor"]["id"]] == lot:
            kept += 1
            if kept > 3:
                event["data"]["bench"]["id"] = "B9"
    found = conclude(state_of(events, requirement("motor.eta"), []), POLICY)
    assert next(item for item in found.verdicts if item.lot.endswith(lot)).verdict == "does_not_conform"


def test_too_few_motors_or_lots_are_a_named_refusal():
    found = conclude(state_of(list(made(motors_per_lot=2).events), requirement("motor.eta"), []), POLICY)
    assert found.model.refusal is not None and found.model.refusal.code == "too_few"
    assert found.verdicts == () and found.bad == ()


def test_a_lot_with_fewer_motors_than_the_policy_asks_is_not_judged():
    policy = Policy(minimum_motors_per_lot=14)
    found = conclude(state_of(list(made("low_br").events), requirement("motor.eta"), []), policy)
    assert {item.verdict for item in found.verdicts} == {"not_shown"}


def test_results_at_an_unknown_magnet_temperature_blame_no_lot():
    events = [copy.deepcopy(event) for event in made("low_br").events]
    for event in events:
        if "efficiency" in event["type"]:
            event["data"]["magnet_temperature"] = {"how": "unknown"}
    found = conclude(state_of(events, requirement("motor.eta"), []), POLICY)
    assert found.model.refusal is not None and found.model.refusal.code == "no_results"


def test_results_at_unequal_exposure_are_never_pooled():
    events = [copy.deepcopy(event) for event in made("low_hcj").events]
    hotter = 0
    for number, event in enumerate(e for e in events if "thermal" in e["type"]):
        if number % 4 == 0:
            event["data"]["soak"]["temperature"]["value"] = 170.0
            hotter += 1
    free = requirement("motor.dpsi_irr", reference={})
    chosen = select(Requirement.model_validate(free), groups_of(events, "motor.dpsi_irr"))
    assert {group.condition["soak_Cel"] for group in chosen.groups} == {150.0}
    assert any(str(hotter) in note and "not pooled" in note for note in chosen.notes)


def test_results_outside_the_operating_point_tolerance_do_not_count():
    events = [copy.deepcopy(event) for event in made().events]
    for event in events:
        if "efficiency" in event["type"]:
            event["data"]["operating_point"]["speed"]["value"] += 60.0
    groups = groups_of(events, "motor.eta")
    chosen = select(Requirement.model_validate(requirement("motor.eta")), groups)
    assert chosen.groups == () and "outside the tolerance" in chosen.notes[0]


def test_suspects_and_retests_estimate_no_lot():
    events = [copy.deepcopy(event) for event in made().events]
    for event in events:
        if "efficiency" in event["type"]:
            event["data"]["why"] = "suspect"
    found = conclude(state_of(events, requirement("motor.eta"), []), POLICY)
    assert found.model.refusal is not None and "suspects" in found.model.notes[0]


def test_repeated_tests_take_repeatability_out_of_the_motor_scatter():
    events = [copy.deepcopy(event) for event in made(faults={}).events]
    twice = []
    rng = np.random.Generator(np.random.Philox(7))
    for event in events:
        if "efficiency" in event["type"]:
            again = copy.deepcopy(event)
            again["id"] += "-2"
            for one in (event, again):
                one["data"]["efficiency"]["value"] += 0.3 * float(rng.standard_normal())
            twice.append(again)
    groups = groups_of([*events, *twice], "motor.eta")
    assert {group.repeats for group in groups} == {2}
    merged = merge(groups, 0.001, 0.1)
    assert merged.results == 2 * merged.motors
    assert math.sqrt(merged.repeat_variance or 0.0) == pytest.approx(0.3, rel=0.15)


def test_the_order_of_groups_changes_nothing():
    state = state_of(list(made("low_br").events), requirement("motor.eta"), [])
    other = type(state)(**{name: getattr(state, name) for name in state.__slots__} | {"groups": state.groups[::-1]})
    assert conclude(state, POLICY).verdicts == conclude(other, POLICY).verdicts


def test_verdicts_on_conforming_lots_are_rarely_wrong():
    """Twenty plants with nothing wrong: at 95 % no lot far from the limit is ever called bad."""
    wrong = 0
    for seed in range(20):
        found = conclude(state_of(list(made(seed=900 + seed).events), requirement("motor.eta"), []), POLICY)
        wrong += len(found.bad)
    assert wrong == 0


def test_the_common_weibull_shape_is_found_and_assumed_where_failures_are_few():
    rng = np.random.Generator(np.random.Philox(3))
    lives = [
        Life(f"m{i}", {f"l{i % 4}": 16}, float(min(t, 4000.0)), "FM-MAG-DET" if t < 4000.0 else None)
        for i, t in enumerate(3000.0 * rng.weibull(2.0, 400))
    ]
    found = common_shape(lives, frozenset())
    assert found.value == pytest.approx(2.0, rel=0.12) and found.basis == "maximum likelihood"
    few = common_shape([life for life in lives if life.mode is None], frozenset())
    assert few.value == 1.0 and few.basis == "assumed"
