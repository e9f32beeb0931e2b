"""Vibration limits of machines: grades of IEC 60034-14 in the factory, zones of ISO 20816-3 in service."""

from collections.abc import Mapping
from dataclasses import dataclass

from events.errors import Invalid

BAND_Hz = (10.0, 1000.0)
"""The band of the velocity (K)."""


@dataclass(frozen=True, slots=True)
class VibrationLimit:
    """R.m.s. limits of displacement in um, velocity in mm/s and acceleration in m/s2 (V:S07)."""

    displacement_um: float
    velocity_mm_s: float
    acceleration_m_s2: float


_HEIGHTS_mm = ((56.0, 132.0), (132.0, 280.0), (280.0, float("inf")))
_GRADES: Mapping[tuple[str, str], tuple[VibrationLimit | None, ...]] = {
    ("A", "free"): (
        VibrationLimit(25, 1.6, 2.5), VibrationLimit(35, 2.2, 3.5), VibrationLimit(45, 2.8, 4.4),
    ),
    ("A", "rigid"): (
        VibrationLimit(21, 1.3, 2.0), VibrationLimit(29, 1.8, 2.8), VibrationLimit(37, 2.3, 3.6),
    ),
    ("B", "free"): (
        VibrationLimit(11, 0.7, 1.1), VibrationLimit(18, 1.1, 1.7), VibrationLimit(29, 1.8, 2.8),
    ),
    ("B", "rigid"): (None, VibrationLimit(14, 0.9, 1.4), VibrationLimit(24, 1.5, 2.4)),
}  # fmt: skip


def grade_limit(grade: str, mounting: str, shaft_height_mm: float) -> VibrationLimit:
    """The factory limit for grade A or B, mounting `free` or `rigid` (IEC 60034-14; domain.md A.5).

    Grade A holds where nothing is marked. Raises Invalid where the standard prints no limit.
    """
    row = _GRADES.get((grade, mounting))
    if row is None:
        raise Invalid(f"There is no vibration grade '{grade}' with mounting '{mounting}': A or B, free or rigid.")
    for limit, (low, high) in zip(row, _HEIGHTS_mm, strict=True):
        if (low < shaft_height_mm <= high or shaft_height_mm == low == 56.0) and limit is not None:
            return limit
    raise Invalid(f"Grade {grade}, {mounting}, prints no limit for a shaft height of {shaft_height_mm:g} mm.")


ZONES: Mapping[str, tuple[float, float, float]] = {
    "ISO 10816-1 I": (0.71, 1.8, 4.5),
    "ISO 10816-1 II": (1.12, 2.8, 7.1),
    "ISO 10816-1 III": (1.8, 4.5, 11.2),
    "ISO 10816-1 IV": (2.8, 7.1, 18.0),
    "ISO 20816-3 group 2 rigid": (1.4, 2.8, 4.5),
    "ISO 20816-3 group 2 flexible": (2.3, 4.5, 7.1),
    "ISO 20816-3 group 1 rigid": (2.3, 4.5, 7.1),
    "ISO 20816-3 group 1 flexible": (3.5, 7.1, 11.0),
}
"""Boundaries A/B, B/C, C/D of broadband velocity r.m.s. on bearing housings in mm/s (V:S12)."""


def zone(scheme: str, velocity_mm_s: float) -> str:
    """The zone A to D of an in-service velocity; a boundary belongs to the lower zone. Raises Invalid otherwise."""
    bounds = ZONES.get(scheme)
    if bounds is None:
        raise Invalid(f"The zone scheme '{scheme}' is not known; there are {', '.join(ZONES)}.")
    return "ABCD"[sum(velocity_mm_s > bound for bound in bounds)]


def significant_change(scheme: str, before_mm_s: float, after_mm_s: float) -> bool:
    """A change by more than 25 % of the B/C boundary counts even inside a zone (ISO 20816-1, V:S12)."""
    zone(scheme, after_mm_s)
    return abs(after_mm_s - before_mm_s) > 0.25 * ZONES[scheme][1]
