"""Back-EMF to the constant at 20 °C and the loss of flux, with the temperature's uncertainty where it belongs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.mathematics.answers import NoAnswer
from projections.mathematics.physics.flux import emf_constant_of_linkage_mV_min
from projections.reduction import flux
from projections.reduction.estimate import Estimate

SPEEDS = np.array([500.0, 1000.0, 1500.0, 2000.0])
ALPHA = Estimate(-0.12, 0.005, "%/K")


def at(temperature, u=2.0):
    return Estimate(temperature, u, "Cel")


@given(st.floats(0.05, 1.0), st.integers(1, 12), st.floats(-20.0, 150.0))
def test_a_flux_linkage_comes_back_from_its_back_emf(psi, pairs, temperature):
    factor = 1.0 - 0.0012 * (temperature - 20.0)
    emf = emf_constant_of_linkage_mV_min(psi, pairs) * SPEEDS / 1000.0 * factor
    found = flux.back_emf(SPEEDS, emf, pairs, at(temperature), ALPHA)
    assert found.linkage_20.value == pytest.approx(psi)
    assert found.emf_constant.value == pytest.approx(emf_constant_of_linkage_mV_min(psi, pairs) * factor)


def test_forty_four_kelvin_move_the_flux_by_about_five_percent():
    emf = 150.0 * SPEEDS / 1000.0
    cold, hot = (flux.back_emf(SPEEDS, emf, 4, at(t), ALPHA).emf_constant_20.value for t in (20.0, 64.0))
    assert 100.0 * (hot / cold - 1.0) == pytest.approx(5.3, abs=0.3)


def test_the_uncertainty_of_the_temperature_and_of_alpha_enter_at_20():
    emf = 150.0 * SPEEDS / 1000.0
    found = flux.back_emf(SPEEDS, emf, 4, at(120.0, 8.0), ALPHA, voltage_u=0.001, speed_u=0.0005)
    expected = math.sqrt(0.001**2 + 0.0005**2 + (0.0012 * 8 / 0.88) ** 2 + (100 * 0.00005 / 0.88) ** 2)
    assert found.emf_constant_20.relative_u == pytest.approx(expected)
    assert found.linkage_20.relative_u == pytest.approx(expected)
    assert found.emf_constant.relative_u == pytest.approx(math.hypot(0.001, 0.0005))


def test_the_stated_uncertainty_is_the_scatter_over_repeated_tests():
    rng = np.random.default_rng(5)
    seen, stated = [], []
    for _ in range(600):
        emf = 150.0 * 0.88 * SPEEDS / 1000.0 * (1.0 + 0.001 * rng.standard_normal()) + 0.1 * rng.standard_normal(4)
        found = flux.back_emf(SPEEDS, emf, 4, at(120.0 + 3.0 * rng.standard_normal(), 3.0), ALPHA, voltage_u=0.001)
        seen.append(found.emf_constant_20.value)
        stated.append(flux.at_20(found.emf_constant, at(120.0, 3.0), Estimate(-0.12, 0.0, "%/K")).u)
    assert np.std(seen) == pytest.approx(np.sqrt(np.mean(np.square(stated))), rel=0.1)


def test_what_two_readings_have_in_common_does_not_count_in_the_loss():
    before, after = Estimate(150.0, 0.45, "mV.min"), Estimate(148.5, 0.4455, "mV.min")
    apart = flux.irreversible_loss(before, after)
    shared = flux.irreversible_loss(before, after, common_relative_u=0.0029)
    assert apart.value == shared.value == pytest.approx(1.0)
    assert apart.u == pytest.approx(100.0 * 0.99 * 0.003 * math.sqrt(2.0))
    assert shared.u < 0.3 * apart.u


def test_readings_that_give_no_loss_are_refused():
    with pytest.raises(NoAnswer, match="larger"):
        flux.irreversible_loss(Estimate(1.0, 0.001, "V.s"), Estimate(1.0, 0.001, "V.s"), common_relative_u=0.01)
    with pytest.raises(NoAnswer, match="one unit"):
        flux.irreversible_loss(Estimate(1.0, 0.001, "V.s"), Estimate(1.0, 0.001, "mV.min"))
    with pytest.raises(NoAnswer, match="polarity"):
        flux.back_emf(SPEEDS, -SPEEDS, 4, at(20.0), ALPHA)
    with pytest.raises(NoAnswer):
        flux.back_emf([0.0, 1.0], [0.0, 1.0], 4, at(20.0), ALPHA)
