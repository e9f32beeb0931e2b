"""Design constants of a permanent-magnet synchronous motor, as registered with its type."""

from typing import Annotated, Literal

from pydantic import Field

from events.vocabulary.quantities import Plain

Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Design(Plain):
    """The constants that domain.md B.1, E.1–E.4 and H use; units last in each name.

    Those that are null leave the conclusions that need them undrawn, and the page says which one is missing.
    """

    topology: Literal["spm", "ipm"] = "spm"
    rated_power_W: Above | None = None
    rated_torque_Nm: Above | None = None
    rated_speed_rpm: Above | None = None
    pole_pairs: Annotated[int, Field(gt=0)]
    slots: Annotated[int, Field(gt=0)] | None = None
    bore_mm: Above | None = None
    stack_mm: Above | None = None
    turns_in_series: Annotated[int, Field(gt=0)] | None = None
    winding_factor: Share | None = None
    pole_arc: Share | None = None
    magnet_thickness_mm: Above | None = None
    gap_mm: Above | None = None
    area_ratio: Above = 1.0
    mu_rec: Above = 1.05
    alpha_pct_per_K: Annotated[float, Field(lt=0, allow_inf_nan=False)] = -0.12
    flux_elasticity: Above | None = None
    reluctance_share: NonNegative = 0.0
    local_field_factor: Above | None = None
    squareness: Share | None = None
    remanence_nominal_T: Above | None = None
    remanence_max_T: Above | None = None
    fault_current_peak_A: Above | None = None
    magnet_temperature_max_Cel: Annotated[float, Field(allow_inf_nan=False)] | None = None
    magnets_per_rotor: Annotated[int, Field(gt=0)] | None = None
    rated_efficiency_pct: Annotated[float, Field(gt=0, lt=100)] | None = None
    copper_loss_share: Share | None = None
    iron_loss_share: Share | None = None
    iron_loss_exponent: Above = 1.8
    shaft_height_mm: Above | None = None
