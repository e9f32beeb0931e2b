"""A second plant, unlike the worked example in names, motor, requirement and fault: nothing knows the first."""

from typing import Any

from examples.simulated.generate import Simulation, simulate
from examples.simulated.plant import Fault, Plant, Supplier

MAKER = "alpine-servo"
ITEM = "SEG-42SH-21"
MOTOR_TYPE = "SERVO-7"
BAD_LOT = "SEG-KIR-04"

DESIGN = {
    "topology": "spm",
    "pole_pairs": 5,
    "slots": 12,
    "bore_mm": 80.0,
    "stack_mm": 60.0,
    "turns_in_series": 120,
    "winding_factor": 0.933,
    "pole_arc": 0.85,
    "magnet_thickness_mm": 3.5,
    "gap_mm": 1.2,
    "alpha_pct_per_K": -0.11,
    "remanence_nominal_T": 1.31,
    "remanence_max_T": 1.35,
    "local_field_factor": 1.1,
    "squareness": 0.93,
    "fault_current_peak_A": 60.0,
    "magnet_temperature_max_Cel": 120.0,
    "magnets_per_rotor": 16,
    "rated_efficiency_pct": 94.0,
    "copper_loss_share": 0.6,
    "iron_loss_share": 0.2,
}
MOTOR = {
    "eta_pct": 94.0,
    "eta_pp_per_br": 5.0,
    "Ke20_V_krpm": 41.0,
    "flux_elasticity": 1.0,
    "v_1x_mm_s": 0.2,
    "v_1x_per_sigma_B": 0.1,
    "base_loss_pct": 0.05,
    "loss_pct_per_kA_m": 0.05,
    "knee_width_kA_m": 10.0,
    "coercivity_needed_kA_m": 480.0,
    "soak_Cel": 120.0,
    "fault_current_A": 60.0,
    "speed_rpm": 3000.0,
    "torque_Nm": 20.0,
}


def plant() -> Plant:
    """A surface-magnet servo motor, two suppliers, ten lots; one lot weakly aligned."""
    return Plant(
        seed=77,
        manufacturer=MAKER,
        motor_type=MOTOR_TYPE,
        motor_name="7 kW servo motor",
        item=ITEM,
        design=DESIGN,
        suppliers=(
            Supplier("kirin-magnet", "Kirin Magnet", "JP", "Osaka 1", "Mt Weld", "KUANTAN"),
            Supplier("ural-magnit", "Ural Magnit", "KZ", "Oskemen", "Kundybai", "ULBA"),
        ),
        lots_per_supplier=5,
        motors_per_lot=10,
        mixed_every=9,
        benches=("T-7", "T-9"),
        nominal_alloy={"alloy.Dy": 1.2, "alloy.TRE": 30.8, "alloy.O": 1000.0},
        nominal_process={
            "process.Tb_gain": 0.3,
            "process.D50": 2.9,
            "process.B_al": 1.75,
            "process.T_s": 1060.0,
        },
        nominal_magnet={
            "magnet.Br": 1.31,
            "magnet.HcJ": 1750.0,
            "magnet.SQ": 0.96,
            "magnet.rho_m": 7.56,
            "magnet.sigma_B": 0.5,
            "magnet.sigma_m": 0.4,
            "magnet.adh": 20.0,
        },
        motor=MOTOR,
        faults={BAD_LOT: Fault(process={"process.B_al": -0.5}, magnet={"magnet.rho_m": -0.2})},
        start="2025-03-03T07:00:00+01:00",
        lot_pattern="SEG-{supplier}-{number:02d}",
        serial_pattern="{type}/{number:05d}",
    )


def simulation() -> Simulation:
    """The second plant's events and the truth behind them."""
    return simulate(plant())


def requirement() -> dict[str, Any]:
    """Back-EMF of the servo at 20 °C, bounded below."""
    return {
        "requirement": {"issuer": MAKER, "id": "REQ-KE"},
        "motor_type": {"issuer": MAKER, "id": MOTOR_TYPE},
        "title": "Back-EMF constant of at least 40 V per 1 000 min⁻¹",
        "metric": "motor.Ke20",
        "limits": {"lower": 40.0, "unit": "mV.min"},
        "conformance": 0.95,
        "confidence": 0.9,
        "reference": {"speed": {"value": 1000, "unit": "/min"}},
        "reason": "Servo drive current limit.",
    }
