"""Ageing at temperature: insulation by halving interval or Arrhenius, and flux by magnetic viscosity (A.4)."""

import math
from collections.abc import Iterable

from projections.mathematics.answers import positive
from projections.mathematics.physics.constants import BOLTZMANN_eV_K, KELVIN_AT_0_Cel


def life_by_halving_h(life_h: float, reference_Cel: float, temperature_Cel: float, halving_K: float = 10.0) -> float:
    """L(T) = L0·2^((T0 − T)/HIC) in h; HIC = 10 K is the ten-degree rule (IEC 60216; A.4)."""
    return float(life_h * 2.0 ** ((reference_Cel - temperature_Cel) / halving_K))


def life_by_arrhenius_h(life_h: float, reference_Cel: float, temperature_Cel: float, energy_eV: float) -> float:
    """L(T) = L0·exp(Ea/kB·(1/T − 1/T0)) in h, temperatures in kelvin inside (A.4)."""
    inverse = 1.0 / (temperature_Cel + KELVIN_AT_0_Cel) - 1.0 / (reference_Cel + KELVIN_AT_0_Cel)
    return life_h * math.exp(energy_eV / BOLTZMANN_eV_K * inverse)


def activation_energy_eV(temperature_Cel: float, halving_K: float) -> float:
    """Ea = kB·ln2·T²/HIC in eV: the energy that a halving interval amounts to at this temperature (A.4)."""
    positive("halving interval", halving_K)
    return BOLTZMANN_eV_K * math.log(2.0) * (temperature_Cel + KELVIN_AT_0_Cel) ** 2 / halving_K


def life_consumed(
    exposure: Iterable[tuple[float, float]], life_h: float, reference_Cel: float, halving_K: float = 10.0
) -> float:
    """Sum of dt·2^((T − T0)/HIC)/L0 over (hours, °C): 1 at the end of life (A.4)."""
    return sum(hours / life_by_halving_h(life_h, reference_Cel, at, halving_K) for hours, at in exposure)


def viscous_loss_pct(first_hour_pct: float, rate_pct_per_decade: float, hours: float) -> float:
    """loss(t) = L_1h + S·log10(t/1 h) in %, from the first hour at temperature on (A.4)."""
    positive("hours", hours)
    return first_hour_pct + rate_pct_per_decade * math.log10(hours)


def resistance_at_40_MOhm(resistance_MOhm: float, temperature_Cel: float) -> float:
    """R40 = R·2^((t − 40)/10) in MOhm: insulation resistance referred to 40 °C (IEEE 43; A.9, K)."""
    return float(resistance_MOhm * 2.0 ** ((temperature_Cel - 40.0) / 10.0))
