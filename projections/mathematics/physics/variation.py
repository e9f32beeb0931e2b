"""Magnet-to-magnet variation inside one rotor: flux, magnetic pull, cogging, unbalance and housing velocity (E.4)."""

import math

from projections.mathematics.answers import positive
from projections.mathematics.physics.constants import MU0_H_m


def flux_scatter(sigma_strength: float, magnets: int) -> float:
    """Relative s.d. of psi_m from independent strength errors: sigma_B/sqrt(N); lot effects are not diluted (E.4)."""
    return sigma_strength / math.sqrt(magnets)


def magnetic_pull_N(gap_field_T: float, pole_area_cm2: float, sigma_strength: float, magnets: int) -> float:
    """Rms rotating pull |F| = (B_g²·A_p/mu0)·sigma_B·sqrt(N) in N, at 1x whatever the speed (E.4, P50)."""
    return gap_field_T**2 * pole_area_cm2 * 1e-4 / MU0_H_m * sigma_strength * math.sqrt(magnets)


def eccentric_pull_N(
    bore_mm: float, stack_mm: float, field_peak_T: float, eccentricity_mm: float, gap_mm: float
) -> float:
    """F = pi·D·L·B²/(4·mu0)·(e/g_eff) in N; B the peak of a sinusoidal gap field, g_eff with h_m/mu_rec (E.4)."""
    positive("gap", gap_mm)
    return math.pi * bore_mm * stack_mm * 1e-6 * field_peak_T**2 / (4.0 * MU0_H_m) * eccentricity_mm / gap_mm


def cogging_from_angles(slots: int, sigma_angle_rad: float, magnets: int) -> float:
    """Rms torque at slot order over one pole's amplitude T_1: sqrt(N·(1 − exp(−(Q·sigma)²))) (E.4, P49)."""
    return math.sqrt(magnets * -math.expm1(-((slots * sigma_angle_rad) ** 2)))


def cogging_from_strengths(sigma_strength: float, magnets: int) -> float:
    """Rms torque at slot order over T_1 from strength errors: 2·sigma_B·sqrt(N) (E.4, P48)."""
    return 2.0 * sigma_strength * math.sqrt(magnets)


def native_cogging(slots: int, pole_pairs: int, sigma_angle_rad: float, magnets: int) -> tuple[int, float]:
    """Order m = LCM(Q, 2p), and its mean amplitude over one pole's T_m: N·exp(−(m·sigma)²/2) (E.4)."""
    order = math.lcm(slots, 2 * pole_pairs)
    return order, magnets * math.exp(-((order * sigma_angle_rad) ** 2) / 2.0)


def unbalance_g_mm(radius_mm: float, magnet_mass_g: float, sigma_mass: float, magnets: int) -> float:
    """Rms unbalance r·m·sigma_m·sqrt(N) in g·mm from the scatter of piece mass (E.4)."""
    return radius_mm * magnet_mass_g * sigma_mass * math.sqrt(magnets)


def permissible_unbalance_g_mm(grade_mm_s: float, speed_rpm: float, rotor_mass_kg: float) -> float:
    """U = G/omega·m in g·mm for a balance grade such as G2.5 (ISO 21940-11; A.5)."""
    positive("speed", speed_rpm)
    return grade_mm_s / (2.0 * math.pi * speed_rpm / 60.0) * rotor_mass_kg * 1000.0


def velocity_of_unbalance_mm_s(unbalance: float, speed_rpm: float, machine_mass_kg: float) -> float:
    """Peak velocity U·omega/M in mm/s of a freely suspended machine, U in g·mm (E.4)."""
    return unbalance * 1e-3 * (2.0 * math.pi * speed_rpm / 60.0) / machine_mass_kg


def velocity_of_pull_mm_s(
    pull_N: float, stiffness_N_m: float, speed_rpm: float, rotor_mass_kg: float, machine_mass_kg: float
) -> float:
    """v = omega·(F/k)·M_r/(M_r + M_s) in mm/s: an internal force hardly moves the housing of a stiff rotor (E.4)."""
    omega = 2.0 * math.pi * speed_rpm / 60.0
    return 1000.0 * omega * pull_N / stiffness_N_m * rotor_mass_kg / machine_mass_kg
