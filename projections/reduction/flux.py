"""Back-EMF readings become the constant at 20 °C, and two of them the irreversible loss of flux (A.3, A.4, A.6)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from projections.mathematics.answers import NoAnswer, finite, positive, same_length
from projections.mathematics.physics.constants import REFERENCE_Cel
from projections.mathematics.physics.flux import emf_constant_of_linkage_mV_min, temperature_factor
from projections.reduction.estimate import Estimate, combined

TEMPERATURE_U_K: Mapping[str, float] = {"embedded_sensor": 2.0, "back_emf": 3.0, "model": 8.0}
"""Typical standard uncertainty of the magnet temperature by how it was known (A.0, J); for benches that state none."""


@dataclass(frozen=True, slots=True)
class BackEmf:
    """The constant at the magnet temperature and at 20 °C in mV·min, and the flux linkage at 20 °C in V·s."""

    emf_constant: Estimate
    emf_constant_20: Estimate
    linkage_20: Estimate


def back_emf(
    speed_rpm: ArrayLike,
    emf_V: ArrayLike,
    pole_pairs: int,
    magnet_Cel: Estimate,
    alpha_pct_per_K: Estimate,
    *,
    voltage_u: float = 0.0,
    speed_u: float = 0.0,
) -> BackEmf:
    """Ke from line-to-line r.m.s. EMF at open terminals, then referred to 20 °C with the magnet's own alpha (A.6).

    A line through the origin over the speeds gives the scatter; `voltage_u` and `speed_u` are relative, common to all
    points, and do not average out. u(T) and u(alpha) enter the value at 20 °C. Raises NoAnswer `bad_input`, `too_few`.
    """
    speed, emf = positive("speed", speed_rpm), finite("EMF", emf_V, least=2)
    same_length(speed=speed, emf=emf)
    thousands = speed / 1000.0
    square = float(thousands @ thousands)
    constant = float(thousands @ emf) / square
    if constant <= 0.0:
        raise NoAnswer("bad_input", "The back-EMF does not rise with speed; check the polarity and the channels.")
    left = emf - constant * thousands
    scatter = math.sqrt(float(left @ left) / (len(emf) - 1) / square)
    measured = Estimate(constant, combined(scatter, constant * combined(voltage_u, speed_u)), "mV.min")
    cold = at_20(measured, magnet_Cel, alpha_pct_per_K)
    per_linkage = emf_constant_of_linkage_mV_min(1.0, pole_pairs)
    return BackEmf(measured, cold, Estimate(cold.value / per_linkage, cold.u / per_linkage, "V.s"))


def at_20(measured: Estimate, magnet_Cel: Estimate, alpha_pct_per_K: Estimate) -> Estimate:
    """A flux-like value at 20 °C: x/(1 + alpha·(T − 20)/100), with what u(T) and u(alpha) make of it (A.4)."""
    alpha, rise = alpha_pct_per_K.value / 100.0, magnet_Cel.value - REFERENCE_Cel
    factor = temperature_factor(magnet_Cel.value, alpha_pct_per_K.value)
    value = measured.value / factor
    u = combined(measured.relative_u, alpha * magnet_Cel.u / factor, rise * alpha_pct_per_K.u / 100.0 / factor) * abs(
        value
    )
    return Estimate(value, u, measured.unit)


def irreversible_loss(before_20: Estimate, after_20: Estimate, common_relative_u: float = 0.0) -> Estimate:
    """100·(before − after)/before in %, both at 20 °C and the same speed (A.4).

    `common_relative_u`, part of both, cancels: one bench, one voltmeter, one alpha at nearly equal temperatures.
    Raises NoAnswer `bad_input` where it is larger than either reading's own, or the units differ.
    """
    if before_20.unit != after_20.unit:
        raise NoAnswer("bad_input", f"The loss compares {before_20.unit} with {after_20.unit}; give one unit.")
    own = [reading.relative_u**2 - common_relative_u**2 for reading in (before_20, after_20)]
    if min(own) < -1e-15:
        raise NoAnswer("bad_input", "The common uncertainty is larger than that of a reading that contains it.")
    ratio = after_20.value / before_20.value
    return Estimate(100.0 * (1.0 - ratio), 100.0 * abs(ratio) * math.sqrt(max(sum(own), 0.0)), "%")
