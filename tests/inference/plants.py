"""Small plants with one known fault each, as lists of events; and requirements for their metrics."""

from typing import Any

from examples.simulated.generate import Simulation, simulate
from examples.simulated.plant import Fault, Plant, Supplier

MANUFACTURER = "reference-works"
BENCHES = ("B1", "B2", "B3")
FAULTS: dict[str, tuple[str, Fault]] = {
    "low_hcj": ("M-BET-02", Fault(alloy={"alloy.Dy": -1.1, "alloy.O": 2000.0}, new_oxide="OX-NEW")),
    "low_br": ("M-ALP-03", Fault(process={"process.B_al": -0.4}, magnet={"magnet.rho_m": -0.25})),
    "unbalanced": ("M-GAM-01", Fault(magnet={"magnet.sigma_B": 2.2})),
    "adhesive": ("M-GAM-04", Fault(bond_life_h=2000.0)),
    "weak_bond": ("M-GAM-04", Fault(bond_life_h=2000.0, magnet={"magnet.adh": -9.0})),
}
SOAK = {
    "soak_temperature": {"value": 150, "unit": "Cel"},
    "soak_duration": {"value": 2, "unit": "h"},
    "fault_current": {"value": 200, "unit": "A"},
}
LOAD = {"speed": {"value": 3000, "unit": "/min"}, "torque": {"value": 60, "unit": "N.m"}}
LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "motor.dpsi_irr": ({"upper": 1.0, "unit": "%"}, SOAK),
    "motor.eta": ({"lower": 93.8, "unit": "%"}, LOAD),
    "motor.Ke20": ({"lower": 58.0, "unit": "mV.min"}, {}),
    "motor.v_1x": ({"upper": 0.75, "unit": "mm/s"}, {}),
    "motor.life": ({"lower": 2500, "unit": "h"}, {}),
}


def plant(faults: dict[str, Fault], **changes: Any) -> Plant:
    values: dict[str, Any] = {
        "seed": 77, "manufacturer": MANUFACTURER, "motor_type": "REF-20", "motor_name": "Reference machine",
        "item": "MAG-REF", "design": DESIGN,
        "suppliers": (
            Supplier("alpha", "Alpha", "DE", "A1", "Mine A", "SEP-A"),
            Supplier("beta", "Beta", "JP", "B1", "Mine B", "SEP-B"),
            Supplier("gamma", "Gamma", "FR", "C1", "Mine C", "SEP-C"),
        ),
        "lots_per_supplier": 4, "motors_per_lot": 12, "mixed_every": 7, "benches": BENCHES,
        "nominal_alloy": {"alloy.Dy": 1.9, "alloy.TRE": 30.5, "alloy.O": 1200.0},
        "nominal_process": {"process.Tb_gain": 0.40, "process.D50": 2.6, "process.B_al": 1.8, "process.T_s": 1065.0},
        "nominal_magnet": {
            "magnet.Br": 1.30, "magnet.HcJ": 2100.0, "magnet.SQ": 0.955, "magnet.rho_m": 7.55,
            "magnet.sigma_B": 0.6, "magnet.sigma_m": 0.4, "magnet.adh": 18.0,
        },
        "motor": MOTOR, "faults": faults, "start": "2026-01-05T06:00:00+00:00",
    }  # fmt: skip
    return Plant(**{**values, **changes})


DESIGN: dict[str, Any] = {
    "topology": "spm", "rated_power_W": 18_850.0, "rated_torque_Nm": 60.0, "rated_speed_rpm": 3000.0, "pole_pairs": 4,
    "slots": 48, "bore_mm": 130.0, "stack_mm": 90.0, "turns_in_series": 72, "winding_factor": 0.933, "pole_arc": 0.8,
    "magnet_thickness_mm": 4.0, "gap_mm": 1.4, "mu_rec": 1.05, "alpha_pct_per_K": -0.12, "flux_elasticity": 1.0,
    "local_field_factor": 1.15, "squareness": 0.92, "remanence_nominal_T": 1.30, "remanence_max_T": 1.34,
    "fault_current_peak_A": 120.0, "magnet_temperature_max_Cel": 150.0, "rated_efficiency_pct": 94.0,
    "copper_loss_share": 0.6, "iron_loss_share": 0.2,
}  # fmt: skip
MOTOR = {
    "eta_pct": 94.0, "eta_pp_per_br": 5.2, "Ke20_V_krpm": 60.0, "flux_elasticity": 1.0, "v_1x_mm_s": 0.25,
    "v_1x_per_sigma_B": 0.25, "base_loss_pct": 0.10, "loss_pct_per_kA_m": 0.08, "knee_width_kA_m": 12.0,
    "coercivity_needed_kA_m": 620.0, "soak_Cel": 150.0, "fault_current_A": 200.0, "speed_rpm": 3000.0,
    "torque_Nm": 60.0,
}  # fmt: skip


def made(fault: str | None = None, faults: dict[str, Fault] | None = None, **changes: Any) -> Simulation:
    """A plant with this fault of `FAULTS`, with these faults, or with none."""
    chosen = dict([FAULTS[fault]]) if fault else (faults or {})
    return simulate(plant(chosen, **changes))


def requirement(metric: str, **changes: Any) -> dict[str, Any]:
    limits, reference = LIMITS[metric]
    return {
        "requirement": {"issuer": MANUFACTURER, "id": f"R-{metric}"},
        "motor_type": {"issuer": MANUFACTURER, "id": "REF-20"},
        "title": f"Requirement on {metric}",
        "metric": metric,
        "limits": limits,
        "conformance": 0.95,
        "confidence": 0.9,
        "reference": reference,
        "reason": "Reference plant.",
        **({"failure_modes": ["FM-MAG-DET"]} if metric == "motor.life" else {}),
        **changes,
    }
