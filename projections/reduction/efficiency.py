"""Efficiency by direct input-output, and the split of the loss into its parts (IEC 60034-2-1; domain.md A.1)."""

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from projections.mathematics.answers import NoAnswer, finite, same_length
from projections.mathematics.physics.losses import COPPER_CONSTANT_Cel, copper_loss_W
from projections.reduction.estimate import FEWEST_SAMPLES, Estimate, combined, scatter_of_mean

REFERENCE_COOLANT_Cel = 25.0


@dataclass(frozen=True, slots=True)
class Instruments:
    """Relative standard uncertainties (k = 1) of the instruments, and the torque offset with its own in N·m."""

    power: float
    torque: float
    speed: float
    torque_offset_Nm: float = 0.0
    u_torque_offset_Nm: float = 0.0


@dataclass(frozen=True, slots=True)
class DirectEfficiency:
    """Efficiency in %, electrical input, shaft output and total loss in W, at one steady load point."""

    efficiency: Estimate
    input_power: Estimate
    output_power: Estimate
    loss: Estimate


@dataclass(frozen=True, slots=True)
class LossSplit:
    """Parts of the total loss in W."""

    copper: Estimate
    iron: Estimate
    friction: Estimate
    additional: Estimate


def direct(
    input_power_W: ArrayLike, torque_Nm: ArrayLike, speed_rpm: ArrayLike, instruments: Instruments
) -> DirectEfficiency:
    """eta = P2/P1 with P2 = (T − T0)·2·pi·n/60, from simultaneous samples after thermal steady state (A.1).

    The scatter is that of P2 − eta·P1 (for the loss P1 − P2) sample by sample, so that common swings of input and
    output cancel. Raises NoAnswer `bad_input` unless 0 < P2 < P1, `too_few` below three samples.
    """
    power, torque, speed = (
        finite(name, values, least=FEWEST_SAMPLES)
        for name, values in (("input power", input_power_W), ("torque", torque_Nm), ("speed", speed_rpm))
    )
    same_length(power=power, torque=torque, speed=speed)
    omega = speed * (2.0 * math.pi / 60.0)
    output = (torque - instruments.torque_offset_Nm) * omega
    p1, p2 = float(power.mean()), float(output.mean())
    if not 0.0 < p2 < p1:
        raise NoAnswer("bad_input", f"Shaft power {p2:.4g} W must lie between zero and the input of {p1:.4g} W.")
    u_p1 = instruments.power * p1
    u_p2 = _u_output(float(torque.mean()), float(omega.mean()), p2, instruments)
    eta = p2 / p1
    u_eta = combined(scatter_of_mean(output - eta * power) / p1, u_p2 / p1, eta * u_p1 / p1)
    return DirectEfficiency(
        Estimate(100.0 * eta, 100.0 * u_eta, "%"),
        Estimate(p1, combined(scatter_of_mean(power), u_p1), "W"),
        Estimate(p2, combined(scatter_of_mean(output), u_p2), "W"),
        Estimate(p1 - p2, combined(scatter_of_mean(power - output), u_p1, u_p2), "W"),
    )


def _u_output(torque_Nm: float, omega: float, output_W: float, instruments: Instruments) -> float:
    torque = omega * combined(instruments.torque * torque_Nm, instruments.u_torque_offset_Nm)
    return combined(torque, instruments.speed * output_W)


def copper_loss(current_A: Estimate, line_resistance_ohm: Estimate) -> Estimate:
    """P_cu = 1.5·I²·R_LL in W at test temperature, star connection (A.1)."""
    value = copper_loss_W(current_A.value, line_resistance_ohm.value)
    return Estimate(value, value * combined(2.0 * current_A.relative_u, line_resistance_ohm.relative_u), "W")


def split(loss: Estimate, copper: Estimate, no_load: Estimate, friction: Estimate) -> LossSplit:
    """The parts of the total loss, all in W (A.1).

    P_fe = P_nl − P_fw, the latter with an unmagnetised dummy rotor; P_LL = P_L − P_cu − P_nl. Raises NoAnswer
    `bad_input` where a part comes out negative by more than three standard uncertainties: then an input is wrong.
    """
    iron = Estimate(no_load.value - friction.value, combined(no_load.u, friction.u), "W")
    left = loss.value - copper.value - no_load.value
    additional = Estimate(left, combined(loss.u, copper.u, no_load.u), "W")
    for name, part in (("iron loss", iron), ("additional load loss", additional)):
        if part.value < -3.0 * part.u:
            raise NoAnswer(
                "bad_input", f"The {name} comes out as {part.value:.4g} ± {part.u:.2g} W; check the no-load test."
            )
    return LossSplit(copper, iron, friction, additional)


def segregated(input_power: Estimate, *losses: Estimate) -> Estimate:
    """eta = 1 − P_L/P1 in % by summation of losses that were measured apart, in W (A.1).

    Its uncertainty is that of the losses, not magnified. Not for the additional loss of `split`, which is what the
    input-output test left over.
    """
    if not losses:
        raise NoAnswer("too_few", "A summation of losses needs at least one loss.")
    share = sum(part.value for part in losses) / input_power.value
    u = combined(combined(*(part.u for part in losses)) / input_power.value, share * input_power.relative_u)
    return Estimate(100.0 * (1.0 - share), 100.0 * u, "%")


def at_reference_coolant(
    measured: DirectEfficiency, copper: Estimate, winding_Cel: float, coolant_Cel: float, u_coolant_K: float = 0.0
) -> Estimate:
    """Efficiency in % at 25 °C coolant: the copper loss follows the winding by the same difference (A.1, K)."""
    change = (REFERENCE_COOLANT_Cel - coolant_Cel) / (COPPER_CONSTANT_Cel + winding_Cel)
    u_change = u_coolant_K / (COPPER_CONSTANT_Cel + winding_Cel)
    p2, loss = measured.output_power.value, measured.loss.value + change * copper.value
    if loss <= 0.0:
        raise NoAnswer("bad_input", "Referred to 25 °C coolant no loss is left; check copper loss and coolant.")
    eta = p2 / (p2 + loss)
    u_change_of_loss = combined(change * copper.u, u_change * copper.value)
    u = combined(measured.efficiency.u / 100.0, eta * (1.0 - eta) / loss * u_change_of_loss)
    return Estimate(100.0 * eta, 100.0 * u, "%")
