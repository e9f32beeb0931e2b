"""Losses of a motor against its magnets: copper, iron, efficiency, and eddy currents in segments (A.1, E.1, E.3)."""

import math

import numpy as np

from projections.mathematics.answers import NoAnswer, positive
from projections.mathematics.physics.constants import MU0_H_m
from projections.mathematics.physics.design import Design

COPPER_CONSTANT_Cel, ALUMINIUM_CONSTANT_Cel = 235.0, 225.0


def resistance_at(resistance20_ohm: float, temperature_Cel: float, constant_Cel: float = COPPER_CONSTANT_Cel) -> float:
    """R(T) = R20·(k + T)/(k + 20), k = 235 for copper, 225 for aluminium (IEC 60034-1; A.1, K)."""
    return resistance20_ohm * (constant_Cel + temperature_Cel) / (constant_Cel + 20.0)


def temperature_rise_K(
    cold_ohm: float, hot_ohm: float, cold_Cel: float, coolant_Cel: float, constant_Cel: float = COPPER_CONSTANT_Cel
) -> float:
    """dTheta = (R2 − R1)/R1·(k + T1) + T1 − T_coolant in K, by resistance (A.3)."""
    positive("resistances", [cold_ohm, hot_ohm])
    return (hot_ohm - cold_ohm) / cold_ohm * (constant_Cel + cold_Cel) + cold_Cel - coolant_Cel


def copper_loss_W(current_A_rms: float, line_resistance_ohm: float) -> float:
    """P_cu = 1.5·I²·R_LL in W, star connection, line-to-line resistance at test temperature (A.1)."""
    return 1.5 * current_A_rms**2 * line_resistance_ohm


def copper_factor(flux_factor: float, reluctance_share: float = 0.0) -> float:
    """P_cu at the same torque when the flux changes by this factor: flux^(−2(1 − s_rel)) (E.1)."""
    positive("flux factor", flux_factor)
    return float(flux_factor ** (-2.0 * (1.0 - reluctance_share)))


def loss_elasticity(design: Design) -> float:
    """d ln P_L/d ln Br = −2(1 − s_rel)·f_cu + n_fe·f_fe, f the shares of total loss (E.1)."""
    copper, iron = design.need("copper_loss_share", "iron_loss_share")
    return -2.0 * (1.0 - design.reluctance_share) * copper + design.iron_loss_exponent * iron


def efficiency_change_pct(efficiency_pct: float, log_loss_change: float) -> float:
    """d eta = −eta·(1 − eta)·d ln P_L in percentage points, shaft power fixed (E.1)."""
    eta = efficiency_pct / 100.0
    return -100.0 * eta * (1.0 - eta) * log_loss_change


def efficiency_per_remanence_pct(design: Design) -> float:
    """Percentage points of efficiency per 1 % of remanence at the rated point (E.1, P41)."""
    (efficiency,) = design.need("rated_efficiency_pct")
    return efficiency_change_pct(efficiency, 0.01 * loss_elasticity(design))


def best_loss_ratio(iron_loss_exponent: float) -> float:
    """f_cu/f_fe above which more remanence helps: n_fe/2 (E.1)."""
    return iron_loss_exponent / 2.0


def loss_uncertainty_factor(efficiency_pct: float) -> float:
    """u(P_L)/P_L per relative u(eta): eta/(1 − eta) (A.1)."""
    eta = efficiency_pct / 100.0
    if not 0.0 < eta < 1.0:
        raise NoAnswer("bad_input", f"An efficiency of {efficiency_pct} % has no loss to speak of.")
    return eta / (1.0 - eta)


def segment_factor(width_to_length: float) -> float:
    """F(x) = 1 − (192/pi^5)·x·sum over odd n of tanh(n·pi/(2x))/n^5; F(0) = 1, F(1) = 0.4217 (E.3)."""
    if not 0.0 <= width_to_length <= 1.0:
        raise NoAnswer("bad_input", "The width is the shorter side: width/length lies between 0 and 1.")
    if width_to_length == 0.0:
        return 1.0
    odd = np.arange(1, 200, 2, dtype=np.float64)
    series = float((np.tanh(odd * math.pi / (2.0 * width_to_length)) / odd**5).sum())
    return 1.0 - 192.0 / math.pi**5 * width_to_length * series


def eddy_loss_W_m3(
    frequency_Hz: float, amplitude_T: float, width_mm: float, length_mm: float, resistivity_uOhm_m: float
) -> float:
    """p = omega²·B²·w²/(24·rho)·F(w/l) in W/m³, resistance-limited, field normal to the face (E.3)."""
    positive("sides and resistivity", [width_mm, length_mm, resistivity_uOhm_m])
    short, long = sorted((width_mm, length_mm))
    omega = 2.0 * math.pi * frequency_Hz
    per_volume = (omega * amplitude_T * short * 1e-3) ** 2 / (24.0 * resistivity_uOhm_m * 1e-6)
    return per_volume * segment_factor(short / long)


def skin_depth_mm(frequency_Hz: float, resistivity_uOhm_m: float, mu_rec: float = 1.05) -> float:
    """delta = sqrt(2·rho/(omega·mu0·mu_rec)) in mm (E.3)."""
    positive("frequency and resistivity", [frequency_Hz, resistivity_uOhm_m])
    return 1000.0 * math.sqrt(resistivity_uOhm_m * 1e-6 / (math.pi * frequency_Hz * MU0_H_m * mu_rec))


def magnet_temperature_Cel(ambient_Cel: float, thermal_resistance_K_W: float, rotor_loss_W: float) -> float:
    """T_mag = T_amb + R_th·(P_eddy + P_fe,rot + share of P_fw) in °C (E.3)."""
    return ambient_Cel + thermal_resistance_K_W * rotor_loss_W
