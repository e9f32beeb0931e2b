"""Coercivity over temperature: the exponential rate of each series, and values at temperature and back (B.2, H.3)."""

import math
from dataclasses import dataclass

import numpy as np

from projections.mathematics.answers import NoAnswer, positive
from projections.mathematics.physics.constants import REFERENCE_Cel


@dataclass(frozen=True, slots=True)
class Series:
    """A trade series (B.2): H_cJ minimum at 20 °C in kA/m, beta in %/K over 20 °C to the top of its interval."""

    name: str
    minimum_kA_m: float
    beta_pct_per_K: float
    top_Cel: float
    provenance: str


SERIES = (
    Series("N", 955.0, -0.76, 80.0, "V:S17"),
    Series("M", 1114.0, -0.68, 100.0, "V:S17"),
    Series("H", 1353.0, -0.605, 120.0, "V:S51"),
    Series("SH", 1592.0, -0.535, 150.0, "V:S51"),
    Series("UH", 1990.0, -0.465, 180.0, "K"),
    Series("EH", 2388.0, -0.420, 200.0, "K"),
    Series("AH", 2786.0, -0.393, 220.0, "K"),
)


def rate_of_beta_per_K(beta_pct_per_K: float, rise_K: float) -> float:
    """kappa = −ln(1 + beta·dT/100)/dT in 1/K of a mean coefficient over dT (C.5)."""
    left = 1.0 + beta_pct_per_K * rise_K / 100.0
    if rise_K == 0.0 or left <= 0.0:
        raise NoAnswer("bad_input", f"beta {beta_pct_per_K} %/K over {rise_K} K leaves no coercivity.")
    return -math.log(left) / rise_K


def beta_of_rate_pct_per_K(rate_per_K: float, rise_K: float) -> float:
    """The mean coefficient over dT that an exponential rate amounts to, in %/K (H.3)."""
    return 100.0 * (math.exp(-rate_per_K * rise_K) - 1.0) / rise_K


_KNOTS = np.array([row.minimum_kA_m for row in SERIES])
_RATES = np.array([rate_of_beta_per_K(row.beta_pct_per_K, row.top_Cel - REFERENCE_Cel) for row in SERIES])


def rate_per_K(coercivity20_kA_m: float) -> float:
    """kappa in 1/K against H_cJ at 20 °C: unrounded from beta of B.2, linear between series, flat beyond the ends."""
    positive("coercivity", coercivity20_kA_m)
    return float(np.interp(coercivity20_kA_m, _KNOTS, _RATES))


def at_temperature_kA_m(coercivity20_kA_m: float, temperature_Cel: float, rate: float | None = None) -> float:
    """H_cJ(T) = H_cJ(20)·exp(−kappa·(T − 20)) in kA/m, with the lot's own kappa where it is known (B.1)."""
    kappa = rate_per_K(coercivity20_kA_m) if rate is None else rate
    return coercivity20_kA_m * math.exp(-kappa * (temperature_Cel - REFERENCE_Cel))


def at_20_kA_m(
    coercivity_kA_m: float, temperature_Cel: float, start_kA_m: float = 1700.0, tolerance_kA_m: float = 1e-9
) -> float:
    """The H_cJ at 20 °C that leaves this much at the temperature: fixed point of H.3, since kappa depends on it."""
    positive("coercivity", coercivity_kA_m)
    rise, current = temperature_Cel - REFERENCE_Cel, start_kA_m
    for _ in range(200):
        following = coercivity_kA_m * math.exp(rate_per_K(current) * rise)
        if abs(following - current) <= tolerance_kA_m:
            return following
        current = following
    raise NoAnswer("did_not_converge", f"No coercivity at 20 °C leaves {coercivity_kA_m} kA/m at {temperature_Cel} °C.")
