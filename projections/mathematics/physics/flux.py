"""Flux linkage, back-EMF and torque constants, and how they move with remanence and temperature (A.6, E.1, H.2)."""

import math

from projections.mathematics.answers import NoAnswer, positive
from projections.mathematics.physics.constants import REFERENCE_Cel
from projections.mathematics.physics.design import Design
from projections.mathematics.physics.working_point import load_line, permeance

RPM_TO_RAD_s = 2.0 * math.pi / 60.0


def form_factor(pole_arc: float) -> float:
    """k_f = (4/pi)·sin(pole arc·90°): fundamental of a flat-topped gap field, dimensionless (H.2)."""
    return 4.0 / math.pi * math.sin(pole_arc * math.pi / 2.0)


def linkage_per_gap_field_V_s_T(design: Design) -> float:
    """psi_m/B_g = k_w·N·k_f·D·L/p in V·s per T (H.2)."""
    turns, winding, arc, bore, stack = design.need(
        "turns_in_series", "winding_factor", "pole_arc", "bore_mm", "stack_mm"
    )
    return winding * turns * form_factor(arc) * bore * stack * 1e-6 / design.pole_pairs


def gap_field_T(remanence_T: float, design: Design) -> float:
    """B_g = (A_m/A_g)·Br·r in T, surface magnets, unsaturated (E.1)."""
    thickness, gap = design.need("magnet_thickness_mm", "gap_mm")
    ratio = permeance(thickness, gap, design.area_ratio)
    return remanence_T * load_line(ratio, design.mu_rec) / design.area_ratio


def linkage_V_s(remanence_T: float, design: Design) -> float:
    """psi_m in V·s at this remanence: the gap field times the winding's constant (H.2)."""
    return gap_field_T(remanence_T, design) * linkage_per_gap_field_V_s_T(design)


def remanence_for_linkage_T(psi_V_s: float, design: Design) -> float:
    """The remanence in T that gives this flux linkage at the same temperature: H.2 read backwards."""
    return psi_V_s / linkage_V_s(1.0, design)


def linkage_for_torque_V_s(torque_Nm: float, current_A_rms: float, pole_pairs: int) -> float:
    """psi_m = T/(1.5·p·sqrt2·I) in V·s at i_d = 0 (H.2)."""
    positive("torque and current", [torque_Nm, current_A_rms])
    return torque_Nm / (1.5 * pole_pairs * math.sqrt(2.0) * current_A_rms)


def linkage_from_emf_V_s(emf_V_rms: float, speed_rpm: float, pole_pairs: int) -> float:
    """psi_m = sqrt2·E_LL/(sqrt3·omega_e) in V·s from the line-to-line r.m.s. back-EMF, open terminals (A.6)."""
    positive("speed", speed_rpm)
    return math.sqrt(2.0 / 3.0) * emf_V_rms / (pole_pairs * speed_rpm * RPM_TO_RAD_s)


def emf_constant_mV_min(emf_V_rms: float, speed_rpm: float) -> float:
    """Ke = E_LL/(n/1000) in V per 1 000 /min, which is mV·min (A.6)."""
    positive("speed", speed_rpm)
    return emf_V_rms / (speed_rpm / 1000.0)


def emf_constant_of_linkage_mV_min(psi_V_s: float, pole_pairs: int) -> float:
    """Ke in mV·min of a flux linkage: the inverse of `linkage_from_emf_V_s` at 1 000 /min (A.6)."""
    return math.sqrt(1.5) * psi_V_s * pole_pairs * 1000.0 * RPM_TO_RAD_s


def torque_constant_Nm_A(psi_V_s: float, pole_pairs: int) -> float:
    """Kt = 1.5·sqrt2·p·psi_m in N·m per A r.m.s. at i_d = 0; equals sqrt3·Ke in V·s/rad (A.6)."""
    return 1.5 * math.sqrt(2.0) * pole_pairs * psi_V_s


def saturation_ratio(torque_constant: float, emf_constant: float) -> float:
    """Kt/(sqrt3·Ke), Kt in N·m/A r.m.s., Ke in mV·min: below 0.97 at rated current is saturation, not magnets (A.6)."""
    return torque_constant / (math.sqrt(3.0) * emf_constant / (1000.0 * RPM_TO_RAD_s))


def temperature_factor(temperature_Cel: float, alpha_pct_per_K: float) -> float:
    """1 + alpha·(T − 20)/100: remanence and flux at T against those at 20 °C (A.4)."""
    factor = 1.0 + alpha_pct_per_K / 100.0 * (temperature_Cel - REFERENCE_Cel)
    if factor <= 0.0:
        raise NoAnswer("bad_input", f"With alpha {alpha_pct_per_K} %/K nothing is left at {temperature_Cel} °C.")
    return factor


def refer_to_20(value: float, temperature_Cel: float, alpha_pct_per_K: float) -> float:
    """A flux-like value measured at T as it would be at 20 °C (A.4, H.2)."""
    return value / temperature_factor(temperature_Cel, alpha_pct_per_K)


def magnet_temperature_Cel(ratio: float, reference_Cel: float, alpha_pct_per_K: float) -> float:
    """T = T_ref + (Ke(T)/Ke(T_ref) − 1)/(alpha/100) in °C, valid only without irreversible loss (A.3)."""
    return reference_Cel + (ratio - 1.0) / (alpha_pct_per_K / 100.0)


def remanence_elasticity(design: Design) -> float:
    """d ln psi_m/d ln Br: the design's own value, else 1 for surface magnets and 1.12 inside the rotor (E.1, P36)."""
    if design.flux_elasticity is not None:
        return design.flux_elasticity
    return 1.0 if design.topology == "spm" else 1.12


def bridge_elasticity(remanence_T: float, magnet_area: float, saturation_T: float, bridge_area: float) -> float:
    """1/(1 − B_sat·A_b/(Br·A_m)): d ln B_g/d ln Br where bridges take flux; areas in one unit (E.1)."""
    share = saturation_T * bridge_area / (remanence_T * magnet_area)
    if not 0.0 <= share < 1.0:
        raise NoAnswer("bad_input", "The bridges would take all of the magnet's flux.")
    return 1.0 / (1.0 - share)
