"""The simulated fleet around the Prius motor: three suppliers, twelve magnet lots, four of them with something wrong.

Synthetic in every event. What is wrong: M-HEL-03 has low coercivity after a recorded change of oxide source (less
dysprosium, more oxygen, a shallow diffusion); M-NOR-02 low remanence (weak alignment, low density); M-CAS-02
unbalanced remanence between pieces; M-CAS-04 an adhesive that lets go early while every certificate is good.
"""

from typing import Any

from examples.prius.tables import design_value, grade
from examples.simulated.generate import Simulation, simulate
from examples.simulated.plant import Fault, Plant, Supplier

GRADE = "N42UH"
MANUFACTURER = "example-motors"
ITEM = "MAG-N42UH-83"
SUPPLIERS = (
    Supplier("helion-magnets", "Helion Magnets", "CN", "Baotou 2", "Bayan Obo pit 3", "SEP-NORTH"),
    Supplier("norrland-permanent", "Norrland Permanent", "SE", "Luleå", "Norra Kärr", "SEP-LULEA"),
    Supplier("cascade-magnetics", "Cascade Magnetics", "US", "Spokane", "Mountain Pass", "SEP-MOJAVE"),
)
FAULTS = {
    "M-HEL-03": Fault(
        alloy={"alloy.Dy": -0.6, "alloy.O": 1500.0},
        process={"process.Tb_gain": -0.08, "process.D50": 0.2},
        new_oxide="SEP-DELTA",
    ),
    "M-NOR-02": Fault(process={"process.B_al": -0.35}, magnet={"magnet.rho_m": -0.25}),
    "M-CAS-02": Fault(magnet={"magnet.sigma_B": 1.9}),
    "M-CAS-04": Fault(bond_life_h=2500.0),
}


def plant() -> Plant:
    """The fleet's plant; the magnet grade's constants from the public table, the geometry from the reports."""
    magnet = grade(GRADE)
    return Plant(
        seed=20040,
        manufacturer=MANUFACTURER,
        motor_type="TRACTION-50",
        motor_name="50 kW traction motor, simulated fleet around the Prius 2004 geometry",
        item=ITEM,
        design=_design(magnet),
        suppliers=SUPPLIERS,
        lots_per_supplier=4,
        motors_per_lot=13,
        mixed_every=11,
        benches=("B1", "B2", "B3"),
        nominal_alloy={"alloy.Dy": 1.9, "alloy.TRE": 30.5, "alloy.O": 1200.0},
        nominal_process={
            "process.Tb_gain": 0.40,
            "process.D50": 2.6,
            "process.B_al": 1.8,
            "process.T_s": 1065.0,
        },
        nominal_magnet={
            "magnet.Br": magnet["Br_T"],
            "magnet.HcJ": 2100.0,
            "magnet.SQ": 0.955,
            "magnet.rho_m": 7.55,
            "magnet.sigma_B": 0.6,
            "magnet.sigma_m": 0.4,
            "magnet.adh": 18.0,
        },
        motor=_motor(),
        faults=FAULTS,
        start="2026-01-12T06:00:00+00:00",
    )


def _design(magnet: dict[str, float]) -> dict[str, Any]:
    return {
        "topology": "ipm",
        "rated_power_W": 50_000.0,
        "rated_torque_Nm": 320.0,
        "rated_speed_rpm": 1500.0,
        "pole_pairs": 4,
        "slots": int(design_value("n_stator_slots")),
        "bore_mm": 10.0 * design_value("stator_id"),
        "stack_mm": 10.0 * design_value("stator_stack_length"),
        "turns_in_series": int(design_value("turns_per_coil") * design_value("coils_in_series_per_phase")),
        "winding_factor": 0.933,
        "pole_arc": 0.8,
        "magnet_thickness_mm": design_value("magnet_thickness"),
        "gap_mm": 2.2,
        "mu_rec": magnet["mu_rec"],
        "alpha_pct_per_K": magnet["alpha_pct_per_K"],
        "flux_elasticity": 1.12,
        "reluctance_share": 0.1,
        "local_field_factor": 1.15,
        "squareness": 0.92,
        "remanence_nominal_T": magnet["Br_T"],
        "remanence_max_T": 1.33,
        "fault_current_peak_A": 150.0,
        "magnet_temperature_max_Cel": 150.0,
        "magnets_per_rotor": 16,
        "rated_efficiency_pct": 92.7,
        "copper_loss_share": 0.72,
        "iron_loss_share": 0.15,
    }


def _motor() -> dict[str, float]:
    return {
        "eta_pct": 92.7,
        "eta_pp_per_br": 7.0,
        "Ke20_V_krpm": 88.0,
        "flux_elasticity": 1.12,
        "v_1x_mm_s": 0.30,
        "v_1x_per_sigma_B": 0.25,
        "base_loss_pct": 0.10,
        "loss_pct_per_kA_m": 0.08,
        "knee_width_kA_m": 12.0,
        "coercivity_needed_kA_m": 620.0,
        "soak_Cel": 150.0,
        "fault_current_A": 150.0,
        "speed_rpm": 1500.0,
        "torque_Nm": 120.0,
    }


def fleet() -> Simulation:
    """The fleet's events and the truth behind them."""
    return simulate(plant())
