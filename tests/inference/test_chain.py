"""The chain: causes, limits on magnet, alloy and process, sourcing; against plants whose truth is known."""

import copy
import math

import numpy as np
import pytest

from events.rules.policies import Policy
from examples.simulated.plant import Fault
from examples.simulated.response import flux_loss_pct
from projections.inference.chain import knee as knees
from projections.inference.chain import line as lines
from projections.inference.chain.line import Point, Prior
from projections.inference.chain.slopes import slopes_into
from projections.inference.conclude import conclude
from projections.inference.conclusions import Conclusions, Limit
from projections.mathematics.physics.coercivity import at_20_kA_m, at_temperature_kA_m
from tests.inference.plants import DESIGN, FAULTS, MANUFACTURER, MOTOR, made, plant, requirement
from tests.inference.reference import edges, state_of

POLICY = Policy()


def concluded(fault: str | None, metric: str, policy: Policy = POLICY, **changes) -> Conclusions:
    order = changes.pop("order", {})
    return conclude(state_of(list(made(fault, **changes).events), requirement(metric, **order), []), policy)


def limit_on(found: Conclusions, key: str) -> Limit:
    return next(limit for limit in found.limits if limit.characteristic == key)


def true_value(fault: str, key: str, lot: str) -> float:
    return next(item.values[key] for item in made(fault).lots if item.id == lot)


def test_a_slope_is_pooled_with_its_prior_by_precision():
    points = [Point(f"l{k}", float(k), 1e-6, 130.0 * k + d, 1.0) for k, d in enumerate((0.4, -0.7, 0.3, 0.1, -0.1))]
    line = lines.fit(points, Prior(130.2, 0.5, "prior"), 0.0, 0.001)
    assert line is not None and line.basis == "prior and data" and line.data_u is not None
    assert line.data_slope is not None
    weight = line.data_u**-2 / (line.data_u**-2 + 0.5**-2)
    assert line.slope == pytest.approx(weight * line.data_slope + (1 - weight) * 130.2)


def test_a_prior_that_contradicts_the_data_is_not_pooled():
    points = [Point(f"l{k}", float(k), 1e-6, 2.0 * k + d, 0.1) for k, d in enumerate((0.04, -0.07, 0.03, 0.1, -0.1))]
    line = lines.fit(points, Prior(9.0, 0.5, "prior"), 0.0, 0.001)
    assert line is not None and line.basis == "data" and line.slope == line.data_slope
    assert line.conflict is not None and line.conflict < 0.001


@pytest.mark.parametrize(("share", "confidence"), [(0.9, 0.9), (0.95, 0.9), (0.95, 0.95), (0.99, 0.99)])
def test_a_limit_moves_to_the_safe_side_with_share_and_confidence(share: float, confidence: float):
    points = [Point(f"l{k}", 1.2 + 0.02 * k, 1e-4, 92.0 + 0.1 * k + 0.01 * (-1) ** k, 0.02) for k in range(8)]
    line = lines.fit(points, None, 0.0, 0.001)
    assert line is not None
    least = lines.invert(line, 92.3, 1.0, 0.5, 0.5, 0.05)
    asked = lines.invert(line, 92.3, 1.0, share, confidence, 0.05)
    more = lines.invert(line, 92.3, 1.0, share + 0.005, confidence + 0.005, 0.05)
    assert least is not None and asked is not None and more is not None
    assert least < asked < more


def test_no_limit_follows_where_the_slope_may_be_zero():
    flat = [Point(f"l{k}", 1.2 + 0.02 * k, 1e-4, 92.0 + 0.3 * (-1) ** k, 0.2) for k in range(8)]
    line = lines.fit(flat, None, 0.0, 0.001)
    assert line is None or lines.invert(line, 92.3, 1.0, 0.95, 0.9, 0.05) is None


def test_the_knee_is_found_between_the_lots_that_lose_flux_and_those_that_do_not():
    rng = np.random.Generator(np.random.Philox(5))
    x = np.array([560.0, 585.0, 600.0, 640.0, 655.0, 660.0, 670.0, 680.0])
    y = 0.1 + 0.08 * np.logaddexp(0.0, (620.0 - x) / 5.0) * 5.0 + 0.02 * rng.standard_normal(8)
    knee = knees.fit(
        [Point(f"l{k}", a, 2.0, b, 0.02) for k, (a, b) in enumerate(zip(x, y, strict=True))], None, 0.0, 0.001
    )
    assert knee is not None and knee.position == pytest.approx(620.0, abs=4.0 * knee.u)
    truth = 620.0 - (0.9 - 0.1645) / 0.08
    found = knee.limit(1.0, 0.95, 0.9, 0.1)
    assert found is not None and 0.0 < found - truth < 15.0


def test_coercivity_restated_at_20_degrees_and_back_is_the_same():
    for cold in (1200.0, 1900.0, 2400.0):
        assert at_20_kA_m(at_temperature_kA_m(cold, 150.0), 150.0) == pytest.approx(cold, rel=1e-9)


def test_low_coercivity_leads_to_a_limit_between_the_bad_lot_and_the_true_need():
    found = concluded("low_hcj", "motor.dpsi_irr")
    lot = f"beta:{FAULTS['low_hcj'][0]}"
    assert found.bad == (lot,)
    limit = limit_on(found, "magnet.HcJ")
    assert limit.side == "lower" and limit.unit == "kA/m" and limit.temperature_Cel == 20.0
    assert limit.statistic == "lot_mean"
    need = next(h for h in np.arange(1500.0, 2300.0) if flux_loss_pct(plant({}), h, MOTOR["soak_Cel"]) <= 0.9)
    good = min(item.values["magnet.HcJ"] for item in made("low_hcj").lots if item.id != FAULTS["low_hcj"][0])
    assert need - 10.0 < limit.value < good
    assert limit.value > true_value("low_hcj", "magnet.HcJ", FAULTS["low_hcj"][0]) + 30.0
    names = [step.name for step in limit.steps]
    assert "limit at 150 °C" in names and "limit restated at 20 °C" in names


def test_low_coercivity_is_followed_to_dysprosium_and_oxygen_and_not_further():
    found = concluded("low_hcj", "motor.dpsi_irr")
    assert {limit.characteristic for limit in found.limits} == {"magnet.HcJ", "alloy.Dy", "alloy.O"}
    bad = next(item for item in made("low_hcj").lots if item.fault)
    dy, oxygen = limit_on(found, "alloy.Dy"), limit_on(found, "alloy.O")
    assert dy.side == "lower" and 1.9 - 1.1 < dy.value < 1.9
    assert oxygen.side == "upper" and 1200.0 < oxygen.value < 3200.0
    assert bad.values["magnet.HcJ"] < limit_on(found, "magnet.HcJ").value
    assert dy.priors == ("lodestone:P01",) and oxygen.priors == ("lodestone:P23",)


def test_each_step_of_the_chain_carries_its_uncertainty():
    found = concluded("low_hcj", "motor.dpsi_irr")
    for limit in found.limits:
        assert limit.u > 0.0 and math.isfinite(limit.u)
        assert any(step.u for step in limit.steps)


def test_a_recorded_source_change_behind_the_bad_lot_joins_as_a_sourcing_rule():
    found = concluded("low_hcj", "motor.dpsi_irr")
    assert len(found.sourcing) == 1
    only = found.sourcing[0]
    assert only.supplier == "beta:beta" and "OX-NEW" in only.why and not only.excluded
    assert all("OX-NEW" in item for item in only.required) and len(only.required) == 3


def test_low_remanence_is_found_by_efficiency_and_by_flux():
    lot = f"alpha:{FAULTS['low_br'][0]}"
    for metric, limit, slope in (("motor.eta", 93.8, 5.2 / 1.30), ("motor.Ke20", 58.0, 60.0 / 1.30)):
        found = concluded("low_br", metric, order={"convention": "at_limit"})
        assert found.bad == (lot,), metric
        scatter = found.model.scatter or 0.0
        level = 94.0 if metric == "motor.eta" else 60.0
        truth = 1.30 + (limit + 1.645 * scatter - level) / slope
        assert limit_on(found, "magnet.Br").value == pytest.approx(truth, abs=0.010)


def test_the_supply_convention_asks_no_more_than_at_limit():
    supply = limit_on(concluded("low_br", "motor.eta"), "magnet.Br").value
    strict = limit_on(concluded("low_br", "motor.eta", order={"convention": "at_limit"}), "magnet.Br").value
    assert supply < strict


def test_unbalanced_remanence_is_named_by_its_certificates_and_the_data_overrule_the_stiff_rotor_prior():
    found = concluded("unbalanced", "motor.v_1x")
    assert (
        found.cause is not None and found.cause.characteristic == "magnet.sigma_B" and found.cause.basis == "contrast"
    )
    limit = limit_on(found, "magnet.sigma_B")
    assert limit.side == "upper" and 0.8 < limit.value < 2.6
    assert any("contradict" in note for note in found.notes)
    assert found.sourcing == ()


def test_a_failing_bond_that_no_certificate_shows_names_no_characteristic_but_a_source():
    found = concluded("adhesive", "motor.life")
    lot = f"gamma:{FAULTS['adhesive'][0]}"
    assert found.bad == (lot,) and found.limits == ()
    assert found.cause is not None and found.cause.characteristic is None and found.cause.refusal is not None
    assert found.cause.refusal.code == "no_characteristic" and "would tell" in found.cause.refusal.would_tell
    assert [item.supplier for item in found.sourcing] == ["gamma:gamma"]


def test_a_weak_bond_on_the_certificates_leads_to_a_limit_on_adhesion():
    found = concluded("weak_bond", "motor.life")
    limit = limit_on(found, "magnet.adh")
    assert limit.side == "lower" and 9.0 < limit.value < 18.0
    assert found.sourcing == ()


def test_nothing_wrong_concludes_nothing():
    for metric in ("motor.eta", "motor.Ke20", "motor.dpsi_irr", "motor.v_1x"):
        found = concluded(None, metric)
        assert found.bad == () and found.limits == () and found.sourcing == () and found.refusals == (), metric


def test_a_certificate_that_hides_the_fault_gives_no_limit_but_a_contradiction():
    events = [copy.deepcopy(event) for event in made("low_hcj").events]
    for event in events:
        if event["id"] == f"certificate-{FAULTS['low_hcj'][0]}":
            for reading in event["data"]["measurements"]:
                if reading["characteristic"] == "magnet.HcJ":
                    reading["value"]["value"] = 2105.0
    found = conclude(state_of(events, requirement("motor.dpsi_irr"), []), POLICY)
    assert found.bad and found.limits == ()
    assert "certificate_contradicted" in {refusal.code for refusal in found.refusals}
    assert found.sourcing and found.sourcing[0].supplier == "beta:beta"


def test_a_missing_design_leaves_the_lots_alone_to_speak():
    changed = {**DESIGN, "turns_in_series": None}
    changed.pop("turns_in_series")
    found = concluded("low_hcj", "motor.dpsi_irr", design=changed)
    limit = limit_on(found, "magnet.HcJ")
    assert "coercivity needed by design" not in [step.name for step in limit.steps]


def test_a_failure_mode_that_may_not_propagate_needs_a_person():
    found = concluded("adhesive", "motor.life", order={"failure_modes": ["FM-BRG-MEC", "FM-MAG-DET"]})
    assert found.bad and found.limits == () and found.sourcing == ()
    assert "needs_a_person" in {refusal.code for refusal in found.refusals}


def test_one_bad_lot_never_excludes_a_source_and_all_of_them_do():
    whole = {f"M-GAM-0{k}": Fault(bond_life_h=1200.0) for k in (1, 2, 3, 4)}
    found = conclude(state_of(list(made(faults=whole).events), requirement("motor.life"), []), POLICY)
    assert [item.excluded for item in found.sourcing] == [("gamma:gamma",)]
    assert concluded("adhesive", "motor.life").sourcing[0].excluded == ()


def test_local_slopes_follow_the_worked_example():
    nominal = {"process.Tb_gain": 0.40, "process.D50": 2.4615, "alloy.Dy": 1.86, "magnet.HcJ": 2262.0}
    found = slopes_into("magnet.HcJ", edges(), nominal)
    assert found["process.Tb_gain"].value == pytest.approx(727.0, abs=1.0)  # domain.md H.5, step 5
    assert found["process.Tb_gain"].sigma / found["process.Tb_gain"].value == pytest.approx(0.17, abs=0.001)
    assert found["alloy.Dy"].value == 160.0
    # H.6, step 3: −280/3.2 per µm of grain, 1.3 µm of grain per µm of D50
    assert found["process.D50"].value == pytest.approx(-280.0 / 3.2 * 1.3, rel=1e-3)


def test_manufacturer_names_are_not_known_to_the_method():
    assert concluded("low_br", "motor.eta", manufacturer="another").bad == concluded("low_br", "motor.eta").bad
    assert MANUFACTURER != "another"
