"""How the simulated plant responds: alloy and process values to magnet values, magnet values to motor results."""

import math
from collections.abc import Mapping

from examples.simulated.plant import Plant, Truth

REFERENCE_CEL = 20.0


def magnet_values(plant: Plant, alloy: Truth, process: Truth, own: Truth) -> dict[str, float]:
    """True magnet values of a lot (slopes of the public priors: dysprosium, diffusion, milling, alignment, density)."""
    nominal_a, nominal_p = plant.nominal_alloy, plant.nominal_process
    values = dict(plant.nominal_magnet)
    d_dy = alloy["alloy.Dy"] - nominal_a["alloy.Dy"]
    gain, gain0 = process["process.Tb_gain"], nominal_p["process.Tb_gain"]
    values["magnet.HcJ"] += 160.0 * d_dy
    values["magnet.HcJ"] -= 0.04 * (alloy["alloy.O"] - nominal_a["alloy.O"])
    values["magnet.HcJ"] += 900.0 * (math.exp(-gain0 / 0.25) - math.exp(-gain / 0.25))
    values["magnet.HcJ"] -= 280.0 * math.log(process["process.D50"] / nominal_p["process.D50"])
    values["magnet.Br"] += -0.024 * d_dy - 0.06 * (gain - gain0)
    values["magnet.Br"] += 0.045 * (process["process.B_al"] - nominal_p["process.B_al"])
    density = values["magnet.rho_m"]
    for key, shift in own.items():
        values[key] += shift
    values["magnet.Br"] *= values["magnet.rho_m"] / density
    return values


def coercivity_at(hcj20_kA_m: float, temperature_Cel: float) -> float:
    """H_cJ in kA/m at a temperature, exponential form; rate against H_cJ20 by the public fit (domain C.5)."""
    kappa = 1e-3 * (11.31 - 1.37e-3 * hcj20_kA_m)
    return hcj20_kA_m * math.exp(-kappa * (temperature_Cel - REFERENCE_CEL))


def flux_loss_pct(plant: Plant, hcj20_kA_m: float, soak_Cel: float) -> float:
    """Irreversible flux loss in % after the soak: a smooth knee where coercivity falls below what the motor needs."""
    motor = plant.motor
    short = motor["coercivity_needed_kA_m"] - coercivity_at(hcj20_kA_m, soak_Cel)
    width = motor["knee_width_kA_m"]
    return motor["base_loss_pct"] + motor["loss_pct_per_kA_m"] * width * math.log1p(math.exp(short / width))


def motor_values(plant: Plant, magnet: Mapping[str, float], soak_Cel: float) -> dict[str, float]:
    """The motor's true results for magnets of these (piece-weighted) values."""
    motor, nominal = plant.motor, plant.nominal_magnet
    br = magnet["magnet.Br"] / nominal["magnet.Br"]
    return {
        "motor.eta": motor["eta_pct"] + motor["eta_pp_per_br"] * (br - 1.0),
        "motor.Ke20": motor["Ke20_V_krpm"] * br ** motor["flux_elasticity"],
        "motor.dpsi_irr": flux_loss_pct(plant, magnet["magnet.HcJ"], soak_Cel),
        "motor.v_1x": motor["v_1x_mm_s"] + motor["v_1x_per_sigma_B"] * magnet["magnet.sigma_B"],
    }
