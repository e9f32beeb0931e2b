"""The design constants of a motor type as the closed forms read them, field by field as the type was registered."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from projections.mathematics.answers import NoAnswer


@dataclass(frozen=True, slots=True)
class Design:
    """The `design` object of a registered motor type; units last in each name, null where it was not stated."""

    pole_pairs: int
    topology: str = "spm"
    rated_power_W: float | None = None
    rated_torque_Nm: float | None = None
    rated_speed_rpm: float | None = None
    slots: int | None = None
    bore_mm: float | None = None
    stack_mm: float | None = None
    turns_in_series: int | None = None
    winding_factor: float | None = None
    pole_arc: float | None = None
    magnet_thickness_mm: float | None = None
    gap_mm: float | None = None
    area_ratio: float = 1.0
    mu_rec: float = 1.05
    alpha_pct_per_K: float = -0.12
    flux_elasticity: float | None = None
    reluctance_share: float = 0.0
    local_field_factor: float | None = None
    squareness: float | None = None
    remanence_nominal_T: float | None = None
    remanence_max_T: float | None = None
    fault_current_peak_A: float | None = None
    magnet_temperature_max_Cel: float | None = None
    magnets_per_rotor: int | None = None
    rated_efficiency_pct: float | None = None
    copper_loss_share: float | None = None
    iron_loss_share: float | None = None
    iron_loss_exponent: float = 1.8
    shaft_height_mm: float | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Design":
        """The constants of a stored event; fields of a newer release are left aside, null means not stated."""
        names = {field.name for field in fields(cls)}
        given = {name: value for name, value in stored.items() if name in names and value is not None}
        if "pole_pairs" not in given:
            raise NoAnswer("bad_input", "The design names no pole_pairs; register the motor type with them.")
        return cls(**given)

    def need(self, *names: str) -> tuple[float, ...]:
        """These constants as numbers; raises NoAnswer naming every one that the design does not state."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise NoAnswer("bad_input", f"The design does not state {', '.join(missing)}.", missing=missing)
        return tuple(float(getattr(self, name)) for name in names)
