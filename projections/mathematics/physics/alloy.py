"""Composition, grain size and diffusion against remanence and coercivity (domain dossier C and D)."""

import math

from projections.mathematics.answers import positive

OXYGEN, CARBON, NITROGEN = 6.01, 6.00, 10.30
"""wt % of neodymium bound by 1 wt % of each, as Nd2O3, NdC2 and NdN (C.2)."""


def saturating_gain(amplitude: float, scale: float, weight_gain_pct: float) -> float:
    """A·(1 − exp(−w/s)): coercivity gained by grain-boundary diffusion, kA/m for A in kA/m (C.1, P06, P07)."""
    return -amplitude * math.expm1(-weight_gain_pct / scale)


def saturating_slope(amplitude: float, scale: float, weight_gain_pct: float) -> float:
    """The slope of the same: A/s·exp(−w/s), kA/m per wt % (C.1)."""
    return amplitude / scale * math.exp(-weight_gain_pct / scale)


def grain_gain(slope: float, from_um: float, to_um: float) -> float:
    """b·(ln D0² − ln D1²): coercivity gained by refining the grain, kA/m for b in kA/m per ln(D²) (C.4, P26)."""
    positive("grain sizes", [from_um, to_um])
    return 2.0 * slope * math.log(from_um / to_um)


def grain_slope(slope: float, size_um: float) -> float:
    """|dH_cJ/dD| = 2b/D in kA/m per um (C.4, D)."""
    positive("grain size", size_um)
    return 2.0 * slope / size_um


def effective_rare_earth_pct(total_pct: float, oxygen_pct: float, carbide_pct: float, nitrogen_pct: float) -> float:
    """TRE_eff = TRE − 6.01·O − 6.00·C − 10.30·N, all in wt % (C.2, P22)."""
    return total_pct - OXYGEN * oxygen_pct - CARBON * carbide_pct - NITROGEN * nitrogen_pct


def weight_pct_of_atomic(atomic_pct: float, atomic_mass: float, mean_mass: float) -> float:
    """wt % of an atomic share with the alloy's own mean atomic mass, both in g/mol (0.2)."""
    return atomic_pct * atomic_mass / mean_mass


def damage_share(depth_um: float, thickness_mm: float) -> float:
    """2d/t: volume share of a plate whose two ground faces lost coercivity (D, P34)."""
    positive("thickness", thickness_mm)
    return 2.0 * depth_um / (thickness_mm * 1000.0)


def interpolated_diffusivity(temperature_Cel: float, low: tuple[float, float], high: tuple[float, float]) -> float:
    """Diffusivity between two (°C, value) points, its logarithm linear in temperature (D, H.6)."""
    (t0, d0), (t1, d1) = low, high
    positive("diffusivities", [d0, d1])
    return float(d0 * (d1 / d0) ** ((temperature_Cel - t0) / (t1 - t0)))
