"""Demagnetisation of a motor: the worst field, the coercivity that it asks for, and the margins (B.5, E.2, H.3)."""

import math

from scipy.optimize import brentq

from projections.mathematics.answers import NoAnswer
from projections.mathematics.physics.coercivity import at_20_kA_m, at_temperature_kA_m, rate_per_K
from projections.mathematics.physics.design import Design
from projections.mathematics.physics.flux import temperature_factor
from projections.mathematics.physics.working_point import field_kA_m, flux_density_T, permeance

COLDEST_Cel, HOTTEST_Cel = -60.0, 300.0


def mmf_per_pole_A(current_peak_A: float, design: Design) -> float:
    """F_d = 1.5·(4/pi)·k_w·N/(2p)·i_d in A on one magnet and one gap (H.3)."""
    turns, winding = design.need("turns_in_series", "winding_factor")
    return 1.5 * 4.0 / math.pi * winding * turns / (2.0 * design.pole_pairs) * current_peak_A


def worst_field_kA_m(remanence20_T: float, temperature_Cel: float, current_peak_A: float, design: Design) -> float:
    """|H| in kA/m at the worst place in the magnet: the working point under F_d times the local factor (B.1, E.2)."""
    thickness, gap = design.need("magnet_thickness_mm", "gap_mm")
    remanence = remanence20_T * temperature_factor(temperature_Cel, design.alpha_pct_per_K)
    ratio = permeance(thickness, gap, design.area_ratio)
    working = flux_density_T(remanence, ratio, design.mu_rec, mmf_per_pole_A(current_peak_A, design), thickness)
    return -field_kA_m(working, remanence, design.mu_rec) * (design.local_field_factor or 1.0)


def needed_coercivity_kA_m(
    remanence20_T: float, temperature_Cel: float, current_peak_A: float, design: Design
) -> float:
    """H_cJ in kA/m needed at the temperature, |H_worst|/SQ (E.2)."""
    (squareness,) = design.need("squareness")
    return worst_field_kA_m(remanence20_T, temperature_Cel, current_peak_A, design) / squareness


def needed_coercivity_at_20_kA_m(
    remanence20_T: float, temperature_Cel: float, current_peak_A: float, design: Design
) -> float:
    """The same restated at 20 °C by iteration, since kappa depends on H_cJ (H.3)."""
    return at_20_kA_m(needed_coercivity_kA_m(remanence20_T, temperature_Cel, current_peak_A, design), temperature_Cel)


def field_margin(
    coercivity20_kA_m: float, remanence20_T: float, temperature_Cel: float, current_peak_A: float, design: Design
) -> float:
    """M_H = Hk(T)/|H_worst| − 1, dimensionless: negative where flux is lost (A.8)."""
    (squareness,) = design.need("squareness")
    knee = squareness * at_temperature_kA_m(coercivity20_kA_m, temperature_Cel)
    return knee / worst_field_kA_m(remanence20_T, temperature_Cel, current_peak_A, design) - 1.0


def temperature_Cel(coercivity20_kA_m: float, remanence20_T: float, current_peak_A: float, design: Design) -> float:
    """T_demag in °C, where Hk(T) = |H_worst(T)| (A.8); raises NoAnswer outside −60 to 300 °C."""

    def margin(at_Cel: float) -> float:
        return field_margin(coercivity20_kA_m, remanence20_T, at_Cel, current_peak_A, design)

    if margin(COLDEST_Cel) < 0.0 or margin(HOTTEST_Cel) > 0.0:
        raise NoAnswer("no_finite_limit", "The magnet does not start to demagnetise between −60 and 300 °C.")
    return float(brentq(margin, COLDEST_Cel, HOTTEST_Cel, xtol=1e-9))


def temperature_margin_K(
    coercivity20_kA_m: float, remanence20_T: float, current_peak_A: float, design: Design
) -> float:
    """M_T = T_demag − T_max in K (A.8)."""
    (top,) = design.need("magnet_temperature_max_Cel")
    return temperature_Cel(coercivity20_kA_m, remanence20_T, current_peak_A, design) - top


def temperature_per_coercivity_K_m_kA(coercivity20_kA_m: float) -> float:
    """dT_demag/dH_cJ20 = 1/(kappa·H_cJ20) in K per kA/m at fixed worst field (E.2, P43)."""
    return 1.0 / (rate_per_K(coercivity20_kA_m) * coercivity20_kA_m)


def temperature_per_squareness_K(coercivity20_kA_m: float, squareness: float) -> float:
    """dT_demag/dSQ = 1/(kappa·SQ) in K per unit of squareness (P44)."""
    return 1.0 / (rate_per_K(coercivity20_kA_m) * squareness)


def remaining_polarisation(field: float, knee: float, coercivity: float) -> float:
    """J/Jr under a reverse field, all in kA/m: 1 before the knee, then linearly from 0.9 to 0 at H_cJ (B.5)."""
    if not 0.0 < knee < coercivity:
        raise NoAnswer("bad_input", "The knee must lie between zero and the coercivity.")
    if field < knee:
        return 1.0
    return 0.9 * max(0.0, (coercivity - field) / (coercivity - knee))
