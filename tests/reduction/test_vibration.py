"""Vibration: the band's r.m.s., orders against the shaft angle, and a coast-down that parts magnets from mass."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.mathematics.answers import NoAnswer
from projections.reduction import vibration

RATE_Hz = 4096.0


def tone(frequency, rms, seconds=6.0, phase=0.3):
    return rms * math.sqrt(2.0) * np.sin(2.0 * math.pi * frequency * np.arange(seconds * RATE_Hz) / RATE_Hz + phase)


@settings(max_examples=30)
@given(st.floats(15.0, 950.0), st.floats(0.1, 10.0), st.floats(0.0, 6.0))
def test_a_tone_in_the_band_has_its_rms(frequency, rms, phase):
    found = vibration.band_rms(tone(frequency, rms, phase=phase), RATE_Hz, relative_u=0.02)
    assert found.value == pytest.approx(rms, rel=2e-3)
    assert found.u == pytest.approx(0.02 * rms, rel=0.1)


def test_tones_outside_the_band_and_an_offset_do_not_count():
    series = tone(50.0, 1.6) + tone(3.0, 5.0) + tone(1500.0, 5.0) + 40.0
    assert vibration.band_rms(series, RATE_Hz).value == pytest.approx(1.6, rel=1e-3)


def test_two_tones_add_in_power():
    assert vibration.band_rms(tone(50.0, 3.0) + tone(317.0, 4.0), RATE_Hz).value == pytest.approx(5.0, rel=1e-3)


def test_the_stated_uncertainty_of_noise_is_its_scatter_over_records():
    rng = np.random.default_rng(2)
    found = [vibration.band_rms(rng.standard_normal(24576), RATE_Hz, 10.0, 60.0) for _ in range(200)]
    values = np.array([item.value for item in found])
    assert values.mean() == pytest.approx(math.sqrt(50.0 / (RATE_Hz / 2.0)), rel=0.02)
    assert values.std() == pytest.approx(np.mean([item.u for item in found]), rel=0.25)


def test_a_record_that_does_not_carry_the_band_is_refused():
    with pytest.raises(NoAnswer, match="do not carry"):
        vibration.band_rms(np.zeros(10000), 1500.0)
    with pytest.raises(NoAnswer, match="too short"):
        vibration.band_rms(tone(50.0, 1.0, seconds=1.5), RATE_Hz)
    with pytest.raises(NoAnswer):
        vibration.band_rms([math.nan] * 20000, RATE_Hz)


MASS_kg = 45.7


def run_down(magnetic_N, unbalance_g_mm, angle_between, noise, rng, seconds=24.0):
    """Velocity (mm/s) and angle of a free machine coasting from 3 000 to 600 /min under a 1x force of two parts."""
    time = np.arange(seconds * RATE_Hz) / RATE_Hz
    omega = 2.0 * math.pi / 60.0 * (3000.0 - 2400.0 * time / seconds)
    angle = np.cumsum(omega) / RATE_Hz
    force = magnetic_N + unbalance_g_mm * 1e-6 * omega**2 * np.exp(1j * angle_between)
    velocity = 1000.0 * force / (1j * omega * MASS_kg)
    return np.real(velocity * np.exp(1j * angle)) + noise * rng.standard_normal(len(time)), angle


@pytest.mark.parametrize("angle_between", [0.0, 1.0, math.pi / 2.0, math.pi])
def test_a_coast_down_parts_the_magnetic_force_from_the_mass(angle_between):
    velocity, angle = run_down(58.0, 48.0, angle_between, 0.02, np.random.default_rng(4))
    force = vibration.force_of_velocity(vibration.order(velocity, angle, RATE_Hz), MASS_kg)
    found = vibration.coast_down(force)
    assert found.magnetic.value == pytest.approx(58.0, abs=max(4.0 * found.magnetic.u, 0.6))
    assert found.unbalance.value == pytest.approx(48.0, abs=max(4.0 * found.unbalance.u, 0.6))
    assert found.magnetic.u < 2.0


def test_the_stated_uncertainty_of_the_intercept_is_its_scatter():
    rng = np.random.default_rng(9)
    found = []
    for _ in range(40):
        velocity, angle = run_down(58.0, 48.0, 0.7, 0.5, rng, seconds=6.0)
        order = vibration.order(velocity, angle, RATE_Hz, turns=4)
        found.append(vibration.coast_down(vibration.force_of_velocity(order, MASS_kg)).magnetic)
    spread = np.std([item.value for item in found])
    assert spread == pytest.approx(np.mean([item.u for item in found]), rel=0.35)


def test_an_order_has_its_amplitude_and_speed_and_other_orders_do_not_leak():
    angle = 2.0 * math.pi * 25.0 * np.arange(4.0 * RATE_Hz) / RATE_Hz
    found = vibration.order(3.0 * np.cos(angle + 0.4) + 2.0 * np.cos(2.0 * angle) + 7.0, angle, RATE_Hz)
    assert np.abs(found.phasor) == pytest.approx(np.full(len(found.phasor), 3.0), rel=1e-3)
    assert np.angle(found.phasor) == pytest.approx(np.full(len(found.phasor), 0.4), abs=1e-3)
    assert found.speed_rpm == pytest.approx(np.full(len(found.phasor), 1500.0))


def test_a_run_that_says_nothing_is_refused():
    angle = np.linspace(0.0, 200.0, 4000)
    with pytest.raises(NoAnswer, match="rise"):
        vibration.order(np.zeros(4000), angle[::-1], RATE_Hz)
    with pytest.raises(NoAnswer, match="turns"):
        vibration.order(np.zeros(400), np.linspace(0.0, 6.0, 400), RATE_Hz)
    steady = vibration.order(np.cos(angle) + 0.01 * np.cos(7.0 * angle), angle, RATE_Hz, turns=4)
    with pytest.raises(NoAnswer, match="hardly changed"):
        vibration.coast_down(steady)
