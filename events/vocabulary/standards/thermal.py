"""Thermal classes of insulation: hot-spot ceiling and limit of temperature rise (IEC 60085, IEC 60034-1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class ThermalClass:
    """A class: ceiling in °C, and the limit of rise by resistance at 40 °C coolant, indirect air cooling, in K."""

    letter: str
    ceiling_Cel: float
    rise_K: float
    provenance: str


CLASSES: Mapping[int, ThermalClass] = {
    105: ThermalClass("A", 105.0, 60.0, "ceiling V:S07; rise K"),
    120: ThermalClass("E", 120.0, 75.0, "ceiling V:S07; rise K"),
    130: ThermalClass("B", 130.0, 80.0, "V:S07"),
    155: ThermalClass("F", 155.0, 105.0, "V:S07"),
    180: ThermalClass("H", 180.0, 125.0, "V:S07"),
    200: ThermalClass("N", 200.0, 145.0, "K"),
}


def rise_limit_K(thermal_class: int, coolant_Cel: float = 40.0, altitude_m: float = 1000.0) -> float:
    """The limit of rise for hotter coolant (less by the excess) and altitude (1 % per 100 m above 1 000 m, K).

    Raises Invalid for a class that is not in the table and for altitudes above 4 000 m.
    """
    found = CLASSES.get(thermal_class)
    if found is None:
        raise Invalid(f"There is no thermal class {thermal_class}; there are {', '.join(map(str, CLASSES))}.")
    if altitude_m > 4000.0:
        raise Invalid(f"{altitude_m:g} m is above 4 000 m, where no rule holds; agree on a limit.")
    rise = found.rise_K - max(0.0, coolant_Cel - 40.0)
    return rise * (1.0 - max(0.0, altitude_m - 1000.0) / 100.0 * 0.01)
