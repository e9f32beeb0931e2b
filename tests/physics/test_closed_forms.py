"""The closed forms against the examples printed in sections A to E, and the identities that must hold."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.facts.design import Design as Registered
from projections.mathematics.answers import NoAnswer
from projections.mathematics.physics import (
    ageing,
    alloy,
    coercivity,
    demagnetisation,
    flux,
    losses,
    scatter,
    variation,
    working_point,
)
from projections.mathematics.physics.design import Design
from tests.physics.example import DESIGN, FAULT_A, STORED

SPLIT = {**STORED, "rated_efficiency_pct": 94.0, "copper_loss_share": 0.55, "iron_loss_share": 0.25}


def test_the_design_has_exactly_the_fields_of_the_registered_one():
    ours = {field.name: field.default for field in fields(Design)}
    theirs = Registered.model_fields
    assert set(ours) == set(theirs)
    assert {name: ours[name] for name in ours if name != "pole_pairs"} == {
        name: field.default for name, field in theirs.items() if name != "pole_pairs"
    }
    assert Registered.model_validate(STORED).model_dump() == {name: getattr(DESIGN, name) for name in ours}


def test_a_design_leaves_unknown_fields_aside_and_names_what_is_missing():
    assert Design.of({"pole_pairs": 4, "invented_later": 1, "gap_mm": None}).gap_mm is None
    with pytest.raises(NoAnswer, match="pole_pairs"):
        Design.of({})
    with pytest.raises(NoAnswer, match="turns_in_series, winding_factor"):
        demagnetisation.mmf_per_pole_A(90.0, Design.of({"pole_pairs": 4}))


@given(st.floats(5.0, 900.0), st.floats(100.0, 20000.0), st.integers(1, 20))
def test_the_torque_constant_is_root_three_times_the_emf_constant(emf, speed, pairs):
    psi = flux.linkage_from_emf_V_s(emf, speed, pairs)
    emf_constant = flux.emf_constant_mV_min(emf, speed)
    per_radian = emf_constant / 1000.0 * 60.0 / (2.0 * math.pi)
    assert flux.torque_constant_Nm_A(psi, pairs) == pytest.approx(math.sqrt(3.0) * per_radian)
    assert flux.emf_constant_of_linkage_mV_min(psi, pairs) == pytest.approx(emf_constant)
    assert flux.saturation_ratio(flux.torque_constant_Nm_A(psi, pairs), emf_constant) == pytest.approx(1.0)


@given(st.floats(-40.0, 200.0), st.floats(-0.2, -0.02))
def test_the_back_emf_is_a_thermometer(temperature, alpha):
    ratio = flux.temperature_factor(temperature, alpha)
    assert flux.magnet_temperature_Cel(ratio, 20.0, alpha) == pytest.approx(temperature)
    assert flux.refer_to_20(ratio, temperature, alpha) == pytest.approx(1.0)


def test_a_hotter_magnet_costs_copper_loss():
    assert 100.0 * (losses.copper_factor(0.88) - 1.0) == pytest.approx(29.0, abs=0.5)
    assert losses.copper_factor(0.88, reluctance_share=1.0) == 1.0
    with pytest.raises(NoAnswer):
        flux.temperature_factor(1000.0, -0.12)


def test_the_sensitivities_of_the_gap_field_are_its_derivatives():
    base, step = 1.2, 1e-6
    thicker = Design.of({**STORED, "magnet_thickness_mm": 4.5 * (1 + step)})
    wider = Design.of({**STORED, "gap_mm": 1.5 * (1 + step)})
    field = flux.gap_field_T(base, DESIGN)
    elasticity = working_point.thickness_elasticity(3.0, 1.05)
    assert elasticity == pytest.approx(0.259, abs=5e-4)
    assert (flux.gap_field_T(base, thicker) / field - 1.0) / step == pytest.approx(elasticity, rel=1e-4)
    assert (flux.gap_field_T(base, wider) / field - 1.0) / step == pytest.approx(-elasticity, rel=1e-4)
    assert flux.bridge_elasticity(1.2, 10.0, 2.0, 0.6) == pytest.approx(1.0 / 0.9)
    with pytest.raises(NoAnswer):
        flux.bridge_elasticity(1.0, 1.0, 2.0, 1.0)


def test_the_rate_of_each_series_is_the_printed_one():
    printed = [10.2, 9.8, 9.3, 9.2, 8.5, 7.8, 7.7]  # SH is 9.15 unrounded
    found = [1e3 * coercivity.rate_per_K(row.minimum_kA_m) for row in coercivity.SERIES]
    assert found == [pytest.approx(value, abs=0.056) for value in printed]
    hot = [coercivity.at_temperature_kA_m(row.minimum_kA_m, row.top_Cel) for row in coercivity.SERIES]
    assert hot == [pytest.approx(value, abs=1.0) for value in (520, 508, 534, 485, 509, 583, 596)]


@given(st.floats(400.0, 900.0), st.floats(40.0, 180.0))
def test_coercivity_restated_at_20_comes_back_at_temperature(hot, temperature):
    cold = coercivity.at_20_kA_m(hot, temperature)
    assert coercivity.at_temperature_kA_m(cold, temperature) == pytest.approx(hot, rel=1e-9)


def test_a_coefficient_that_leaves_nothing_is_refused():
    with pytest.raises(NoAnswer):
        coercivity.rate_of_beta_per_K(-0.8, 130.0)
    with pytest.raises(NoAnswer):
        coercivity.at_20_kA_m(-1.0, 100.0)


def test_the_demagnetisation_temperature_is_where_the_margin_is_zero():
    needed = demagnetisation.needed_coercivity_at_20_kA_m(1.33, 140.0, FAULT_A, DESIGN)
    assert demagnetisation.field_margin(needed, 1.33, 140.0, FAULT_A, DESIGN) == pytest.approx(0.0, abs=1e-9)
    assert demagnetisation.temperature_Cel(needed, 1.33, FAULT_A, DESIGN) == pytest.approx(140.0)
    assert demagnetisation.temperature_margin_K(needed, 1.33, FAULT_A, DESIGN) == pytest.approx(0.0, abs=1e-6)
    more = demagnetisation.temperature_Cel(needed + 100.0, 1.33, FAULT_A, DESIGN) - 140.0
    assert 0.5 * 6.1 < more < 1.6 * 6.1
    assert 79.5775 * demagnetisation.temperature_per_coercivity_K_m_kA(1907.0) == pytest.approx(4.8, abs=0.05)
    assert 0.01 * demagnetisation.temperature_per_squareness_K(1907.0, 0.92) == pytest.approx(1.2, abs=0.1)
    with pytest.raises(NoAnswer):
        demagnetisation.temperature_Cel(50.0, 1.33, FAULT_A, DESIGN)


def test_polarisation_falls_from_the_knee_to_zero_at_the_coercivity():
    fields_kA_m = (500.0, 600.0, 800.0, 1000.0, 1200.0)
    left = [demagnetisation.remaining_polarisation(field, 600.0, 1000.0) for field in fields_kA_m]
    assert left == [1.0, 0.9, pytest.approx(0.45), 0.0, 0.0]
    with pytest.raises(NoAnswer):
        demagnetisation.remaining_polarisation(1.0, 5.0, 4.0)


def test_at_the_knee_the_flux_density_is_that_of_the_b_h_curve():
    assert working_point.knee_flux_density_T(1.0, 500.0) == pytest.approx(0.9 - 0.2 * math.pi)


def test_one_percent_of_remanence_costs_0_037_points_of_efficiency():
    design = Design.of(SPLIT)
    assert losses.loss_elasticity(design) == pytest.approx(-0.65)
    assert losses.efficiency_per_remanence_pct(design) == pytest.approx(0.037, abs=5e-4)
    assert losses.best_loss_ratio(1.8) == 0.9
    assert losses.loss_elasticity(Design.of({**SPLIT, "reluctance_share": 0.35})) == pytest.approx(-0.265)


def test_the_uncertainty_of_loss_is_that_of_efficiency_magnified():
    assert 0.2 * losses.loss_uncertainty_factor(95.0) == pytest.approx(3.8)
    with pytest.raises(NoAnswer):
        losses.loss_uncertainty_factor(100.0)


def test_copper_gets_its_resistance_and_rise():
    hot = losses.resistance_at(1.0, 120.0)
    assert hot == pytest.approx(355.0 / 255.0)
    assert losses.temperature_rise_K(1.0, hot, 20.0, 40.0) == pytest.approx(80.0)
    assert losses.copper_loss_W(10.0, 0.2) == pytest.approx(30.0)


def test_the_segment_factor_runs_from_one_to_0_4217():
    assert losses.segment_factor(0.0) == 1.0
    assert losses.segment_factor(1.0) == pytest.approx(0.4217, abs=5e-5)
    shares = [losses.segment_factor(share / 20.0) for share in range(21)]
    assert shares == sorted(shares, reverse=True)
    with pytest.raises(NoAnswer):
        losses.segment_factor(1.2)


def test_cutting_a_long_segment_in_two_quarters_its_loss():
    whole = losses.eddy_loss_W_m3(1000.0, 0.05, 10.0, 1e6, 1.4)
    assert losses.eddy_loss_W_m3(1000.0, 0.05, 5.0, 1e6, 1.4) == pytest.approx(whole / 4.0, rel=1e-4)
    assert losses.eddy_loss_W_m3(1000.0, 0.05, 10.0, 1e6, 2.8) == pytest.approx(whole / 2.0)
    assert losses.eddy_loss_W_m3(1000.0, 0.05, 20.0, 10.0, 1.4) == losses.eddy_loss_W_m3(1000.0, 0.05, 10.0, 20.0, 1.4)
    assert losses.magnet_temperature_Cel(40.0, 0.2, 300.0) == 100.0


@pytest.mark.parametrize(("frequency", "depth"), [(1000.0, 18.4), (5000.0, 8.2), (10000.0, 5.8)])
def test_skin_depth(frequency, depth):
    assert losses.skin_depth_mm(frequency, 1.4) == pytest.approx(depth, abs=0.05)


def test_magnetic_pull_cogging_and_unbalance_of_the_printed_examples():
    assert variation.magnetic_pull_N(0.8, 40.0, 0.01, 8) == pytest.approx(58.0, abs=0.5)
    assert variation.cogging_from_angles(12, math.radians(0.5), 8) == pytest.approx(0.295, abs=5e-4)
    assert variation.unbalance_g_mm(45.0, 60.0, 0.005, 8) == pytest.approx(38.0, abs=0.5)
    assert variation.permissible_unbalance_g_mm(2.5, 3000.0, 6.0) == pytest.approx(48.0, abs=0.5)
    assert variation.cogging_from_strengths(0.01, 8) == pytest.approx(0.0566, abs=5e-5)
    assert variation.native_cogging(48, 4, 0.0, 8) == (48, 8.0)
    assert variation.flux_scatter(0.01, 8) == pytest.approx(0.01 / math.sqrt(8.0))
    assert variation.eccentric_pull_N(150.0, 120.0, 0.8, 0.1, 5.8) == pytest.approx(124.1, abs=0.1)


def test_an_internal_pull_hardly_moves_a_stiff_machine_but_unbalance_does():
    machine = 48e-6 * 314.159 / 0.33e-3  # the mass that E.4's 0.33 mm/s implies
    assert variation.velocity_of_unbalance_mm_s(48.0, 3000.0, machine) == pytest.approx(0.33)
    assert variation.velocity_of_pull_mm_s(58.0, 2e8, 3000.0, 6.0, machine) == pytest.approx(0.01, abs=0.005)


def test_composition():
    assert alloy.weight_pct_of_atomic(1.0, 162.5, 65.34) == pytest.approx(2.49, abs=5e-3)
    assert alloy.weight_pct_of_atomic(1.0, 158.93, 65.34) == pytest.approx(2.43, abs=5e-3)
    assert alloy.effective_rare_earth_pct(30.5, 0.1, 0.0, 0.0) == pytest.approx(30.5 - 0.601)
    assert alloy.grain_gain(140.0, 2.0, 1.0) == pytest.approx(194.0, abs=0.5)
    assert alloy.grain_slope(140.0, 3.0) == pytest.approx(93.0, abs=0.5)
    assert alloy.damage_share(20.0, 4.0) == pytest.approx(0.01)


@given(st.floats(0.01, 2.0))
def test_a_saturating_gain_has_its_slope(gain):
    step = 1e-6
    rise = alloy.saturating_gain(900.0, 0.25, gain + step) - alloy.saturating_gain(900.0, 0.25, gain - step)
    assert rise / (2.0 * step) == pytest.approx(alloy.saturating_slope(900.0, 0.25, gain), rel=1e-4, abs=1e-4)


def test_insulation_ages_twice_as_fast_each_halving_interval():
    assert ageing.life_by_halving_h(20000.0, 155.0, 165.0) == 10000.0
    energy = ageing.activation_energy_eV(155.0, 10.0)
    assert energy == pytest.approx(1.09, abs=0.006)
    assert ageing.life_by_arrhenius_h(20000.0, 155.0, 165.0, energy) == pytest.approx(10000.0, rel=0.03)
    assert ageing.life_consumed([(10000.0, 155.0), (5000.0, 165.0)], 20000.0, 155.0) == pytest.approx(1.0)
    assert ageing.viscous_loss_pct(0.2, 0.1, 1000.0) == pytest.approx(0.5)
    assert ageing.resistance_at_40_MOhm(100.0, 50.0) == 200.0


def test_a_guard_moves_the_limit_to_the_safe_side():
    assert scatter.guarded(100.0, 0.01, "lower", 2.0) == 102.0
    assert scatter.guarded(100.0, 0.01, "upper", 2.0) == 98.0
    assert scatter.mean_for_capability(10.0, 1.0, 1.0, "upper") == 7.0
    assert scatter.motors_to_show_halving(0.07) == 86
