"""Efficiency and losses from samples: known inputs come back, and the stated uncertainty is the one that is seen."""

import math

import numpy as np
import pytest

from events.facts.tests import EfficiencyMeasured
from projections.mathematics.answers import NoAnswer
from projections.mathematics.physics.losses import loss_uncertainty_factor
from projections.reduction import efficiency
from projections.reduction.estimate import Estimate, independent_samples, mean

GOOD = efficiency.Instruments(power=0.001, torque=0.0015, speed=0.0002)
OMEGA = 2.0 * math.pi * 1500.0 / 60.0


def load_point(rng, n=400, power=15957.4, torque=95.5):
    """A steady 94 % point: input and output swing together by 0.5 %, with a little of their own."""
    swing = 1.0 + 0.005 * rng.standard_normal(n)
    own = 1.0 + 0.0005 * rng.standard_normal((2, n))
    return power * swing * own[0], torque * swing * own[1], np.full(n, 1500.0)


def reduced(seed, instruments=GOOD):
    power, torque, speed = load_point(np.random.default_rng(seed))
    return efficiency.direct(power, torque, speed, instruments)


def test_a_steady_point_gives_its_efficiency_and_loss():
    found = reduced(1)
    assert found.efficiency.value == pytest.approx(94.0, abs=0.05)
    assert found.output_power.value == pytest.approx(95.5 * OMEGA, rel=1e-3)
    assert found.loss.value == pytest.approx(found.input_power.value - found.output_power.value)
    assert found.efficiency.relative_u == pytest.approx(math.hypot(0.001, math.hypot(0.0015, 0.0002)), rel=0.05)


def test_what_input_and_output_swing_together_does_not_count():
    exact = efficiency.Instruments(power=0.0, torque=0.0, speed=0.0)
    swing = 1.0 + 0.01 * np.sin(np.arange(500.0))
    found = efficiency.direct(1000.0 * swing, 0.9 * swing, np.full(500, 9000.0), exact)
    assert found.efficiency.u < 1e-9
    assert found.input_power.u > 0.1


def test_the_relative_uncertainty_of_the_loss_is_magnified():
    found = reduced(1)
    magnified = loss_uncertainty_factor(94.0) * found.efficiency.relative_u
    assert found.loss.relative_u == pytest.approx(magnified, rel=0.05)


def test_the_stated_uncertainty_is_the_scatter_over_repeated_benches():
    rng = np.random.default_rng(7)
    seen, stated = [], []
    for _ in range(400):
        power, torque, speed = load_point(rng, 50)
        errors = 1.0 + np.array([0.001, 0.0015, 0.0002]) * rng.standard_normal(3)
        found = efficiency.direct(power * errors[0], torque * errors[1], speed * errors[2], GOOD)
        seen.append(found.efficiency.value)
        stated.append(found.efficiency.u)
    assert np.std(seen) == pytest.approx(np.mean(stated), rel=0.12)


def test_the_torque_offset_is_taken_off_and_its_uncertainty_counts():
    offset = efficiency.Instruments(0.001, 0.0015, 0.0002, torque_offset_Nm=0.5, u_torque_offset_Nm=0.2)
    plain, corrected = (reduced(1, kit) for kit in (GOOD, offset))
    assert corrected.output_power.value == pytest.approx(plain.output_power.value - 0.5 * OMEGA)
    assert corrected.efficiency.u > plain.efficiency.u


@pytest.mark.parametrize(
    ("power", "torque", "speed"),
    [([1.0, math.nan, 1.0], [1.0] * 3, [9.0] * 3), ([1.0] * 2, [0.01] * 2, [9.0] * 2),
     ([1.0] * 3, [9.0] * 3, [900.0] * 3), ([9.0] * 3, [-1.0] * 3, [9.0] * 3), ([9.0] * 4, [0.1] * 3, [9.0] * 3)],
)  # fmt: skip
def test_samples_that_carry_no_efficiency_are_refused(power, torque, speed):
    with pytest.raises(NoAnswer):
        efficiency.direct(power, torque, speed, GOOD)


def test_the_loss_is_split_and_summed_up_again():
    found = reduced(3)
    copper = efficiency.copper_loss(Estimate(28.0, 0.028, "A"), Estimate(0.40, 0.0008, "Ohm"))
    parts = efficiency.split(found.loss, copper, Estimate(280.0, 6.0, "W"), Estimate(60.0, 3.0, "W"))
    assert copper.value == pytest.approx(470.4)
    assert copper.relative_u == pytest.approx(math.hypot(0.002, 0.002))
    assert parts.iron.value == 220.0
    assert parts.iron.u == pytest.approx(math.hypot(6.0, 3.0))
    assert parts.additional.value == pytest.approx(found.loss.value - 470.4 - 280.0)


def test_summed_losses_give_an_efficiency_whose_uncertainty_is_not_magnified():
    losses = (Estimate(470.4, 1.4, "W"), Estimate(280.0, 6.0, "W"), Estimate(200.0, 20.0, "W"))
    summed = efficiency.segregated(Estimate(15957.4, 16.0, "W"), *losses)
    assert summed.value == pytest.approx(100.0 - 100.0 * 950.4 / 15957.4)
    assert summed.u == pytest.approx(
        100.0 * math.hypot(math.hypot(1.4, 6.0, 20.0), 950.4 * 0.001003) / 15957.4, rel=1e-3
    )
    assert summed.u < reduced(1).efficiency.u
    with pytest.raises(NoAnswer):
        efficiency.segregated(Estimate(15957.4, 16.0, "W"))


def test_an_impossible_split_is_refused_by_its_name():
    with pytest.raises(NoAnswer, match="additional load loss"):
        efficiency.split(
            Estimate(500.0, 5.0, "W"), Estimate(400.0, 2.0, "W"), Estimate(200.0, 2.0, "W"), Estimate(5.0, 1.0, "W")
        )
    with pytest.raises(NoAnswer, match="iron loss"):
        efficiency.split(
            Estimate(900.0, 5.0, "W"), Estimate(400.0, 2.0, "W"), Estimate(20.0, 2.0, "W"), Estimate(50.0, 1.0, "W")
        )


def test_colder_coolant_is_referred_to_25_degrees():
    found = reduced(3)
    copper = Estimate(500.0, 2.0, "W")
    same = efficiency.at_reference_coolant(found, copper, 90.0, 25.0)
    cold = efficiency.at_reference_coolant(found, copper, 90.0, 15.0, u_coolant_K=1.0)
    assert same.value == pytest.approx(found.efficiency.value)
    more = 500.0 * 10.0 / 325.0
    expected = 100.0 * found.output_power.value / (found.output_power.value + found.loss.value + more)
    assert cold.value == pytest.approx(expected)
    assert cold.u > found.efficiency.u


def test_a_reduced_efficiency_fits_into_the_fact():
    found = reduced(3)
    fact = {
        "motor": {"issuer": "a", "id": "1"}, "bench": {"issuer": "a", "id": "b"}, "tested_at": "2026-01-01T00:00:00Z",
        "why": "all", "efficiency": found.efficiency.as_measured(), "loss": found.loss.as_measured(),
    }  # fmt: skip
    assert EfficiencyMeasured.model_validate(fact).efficiency.u == found.efficiency.u


def test_correlated_samples_are_worth_fewer():
    rng = np.random.default_rng(11)
    noise = rng.standard_normal(20000)
    walk = np.empty_like(noise)
    walk[0] = noise[0]
    for at in range(1, len(noise)):
        walk[at] = 0.8 * walk[at - 1] + noise[at]
    assert independent_samples(noise) == pytest.approx(20000.0, rel=0.05)
    assert independent_samples(walk) == pytest.approx(20000.0 * 0.2 / 1.8, rel=0.1)
    assert mean("steady", np.full(5, 2.0), "W", relative_u=0.01).u == pytest.approx(0.02)
    with pytest.raises(NoAnswer):
        mean("short", np.array([1.0, 2.0]), "W")
