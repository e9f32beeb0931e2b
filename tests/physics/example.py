"""The motor of the dossier's worked example (section H), as a registered motor type would carry it."""

from events.facts.motors import MotorTypeRegistered
from projections.mathematics.physics.design import Design

STORED = {
    "topology": "spm", "rated_power_W": 15000.0, "rated_torque_Nm": 95.5, "rated_speed_rpm": 1500.0, "pole_pairs": 4,
    "slots": 48, "bore_mm": 150.0, "stack_mm": 120.0, "turns_in_series": 96, "winding_factor": 0.933, "pole_arc": 0.8,
    "magnet_thickness_mm": 4.5, "gap_mm": 1.5, "area_ratio": 1.0, "mu_rec": 1.05, "alpha_pct_per_K": -0.12,
    "local_field_factor": 1.15, "squareness": 0.92, "remanence_max_T": 1.33, "fault_current_peak_A": 90.0,
    "magnet_temperature_max_Cel": 140.0, "magnets_per_rotor": 8,
}  # fmt: skip
"""The `design` object of the event."""

EVENT = MotorTypeRegistered.model_validate(
    {"motor_type": {"issuer": "dossier", "id": "SPM-15"}, "name": "SPM 15 kW, worked example", "design": STORED}
)
DESIGN = Design.of(EVENT.model_dump(mode="json")["design"])
FAULT_A, HOT_Cel, RATED_Cel = 90.0, 140.0, 120.0
SCATTER_kA_m = 43.0
"""Lot and within-lot standard deviation of H_cJ together, as H.4 rounds it."""
