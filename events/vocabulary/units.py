"""Units: an explicit UCUM table with the input aliases of the field; what is not listed is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit: canonical value = value · factor + offset, in the canonical unit of its dimension."""

    code: str
    dimension: str
    factor: float
    offset: float = 0.0


def _rows(dimension: str, *units: tuple[str, float] | tuple[str, float, float]) -> list[Unit]:
    return [Unit(row[0], dimension, *row[1:]) for row in units]


_UNITS = [
    *_rows("flux_density", ("T", 1.0), ("mT", 1e-3)),
    *_rows("field_strength", ("kA/m", 1.0), ("A/m", 1e-3)),
    *_rows("energy_product", ("kJ/m3", 1.0)),
    *_rows("temperature", ("Cel", 1.0), ("K", 1.0, -273.15)),
    *_rows("ratio", ("%", 1.0), ("1", 100.0), ("[ppm]", 1e-4)),
    *_rows("emf_constant", ("mV.min", 1.0)),
    *_rows("voltage", ("V", 1.0), ("kV", 1e3), ("mV", 1e-3)),
    *_rows("current", ("A", 1.0)),
    *_rows("power", ("W", 1.0), ("kW", 1e3)),
    *_rows("torque", ("N.m", 1.0)),
    *_rows("torque_constant", ("N.m/A", 1.0)),
    *_rows("force", ("N", 1.0), ("kN", 1e3)),
    *_rows("rate", ("/min", 1.0), ("Hz", 60.0)),
    *_rows("hazard", ("/h", 1.0)),
    *_rows("duration", ("h", 1.0), ("min", 1.0 / 60.0), ("s", 1.0 / 3600.0), ("d", 24.0)),
    *_rows("length", ("mm", 1.0), ("um", 1e-3), ("m", 1e3)),
    *_rows("mass", ("kg", 1.0), ("g", 1e-3), ("t", 1e3)),
    *_rows("density", ("g/cm3", 1.0), ("kg/m3", 1e-3)),
    *_rows("velocity", ("mm/s", 1.0), ("m/s", 1e3)),
    *_rows("acceleration", ("m/s2", 1.0)),
    *_rows("flux_linkage", ("V.s", 1.0), ("mV.s", 1e-3)),
    *_rows("resistance", ("MOhm", 1.0), ("Ohm", 1e-6)),
    *_rows("resistivity", ("uOhm.m", 1.0), ("Ohm.m", 1e6)),
    *_rows("thermal_resistance", ("K/W", 1.0)),
    *_rows("temperature_coefficient", ("%/K", 1.0), ("/K", 100.0)),
    *_rows("pressure", ("MPa", 1.0), ("Pa", 1e-6), ("kPa", 1e-3)),
    *_rows("leak_rate", ("Pa/min", 1.0)),
    *_rows("weight_loss", ("mg/cm2", 1.0)),
    *_rows("angle", ("deg", 1.0), ("rad", 57.29577951308232)),
    *_rows("magnetic_moment", ("A.m2", 1.0)),
    *_rows("unbalance", ("g.mm", 1.0)),
    *_rows("loss_rate", ("%/{decade}", 1.0)),
    *_rows("coercivity_per_share", ("kA/m/%", 1.0)),
    *_rows("humidity_hours", ("%.h", 1.0)),
    *_rows("sound_power", ("dB[A]", 1.0)),
    *_rows("zone", ("{zone}", 1.0)),
]

UNITS: Mapping[str, Unit] = {row.code: row for row in _UNITS}

_ALIASES: Mapping[str, tuple[str, float]] = {
    "kOe": ("kA/m", 79.577471545947667),
    "Oe": ("kA/m", 0.079577471545947667),
    "kG": ("T", 0.1),
    "MGOe": ("kJ/m3", 7.9577471545947667),
    "°C": ("Cel", 1.0),
    "degC": ("Cel", 1.0),
    "deg C": ("Cel", 1.0),
    "pp": ("%", 1.0),
    "wt %": ("%", 1.0),
    "wt%": ("%", 1.0),
    "ppm": ("[ppm]", 1.0),
    "rpm": ("/min", 1.0),
    "min^-1": ("/min", 1.0),
    "1/min": ("/min", 1.0),
    "V/krpm": ("mV.min", 1.0),
    "µm": ("um", 1.0),
    "µOhm.m": ("uOhm.m", 1.0),
    "1/K": ("/K", 1.0),
}
"""Input alias → (UCUM code, factor to it)."""


def unit(code: str) -> Unit:
    """The unit written so. Raises Invalid naming the near matches."""
    found = UNITS.get(code)
    if found is not None:
        return found
    alias = _ALIASES.get(code)
    if alias is not None:
        base = UNITS[alias[0]]
        return Unit(base.code, base.dimension, base.factor * alias[1], base.offset)
    near = get_close_matches(code, [*UNITS, *_ALIASES], n=3, cutoff=0.4)
    near += [name for name in (*UNITS, *_ALIASES) if name.lower() == code.lower() and name not in near]
    hint = f"near matches: {', '.join(near)}" if near else "write a UCUM code such as kA/m, T, Cel, %, N.m, mm/s"
    raise Invalid(f"The unit '{code}' is not known; {hint}.", unit=code)


def _pair(source: str, target: str) -> tuple[Unit, Unit]:
    first, second = unit(source), unit(target)
    if first.dimension != second.dimension:
        raise Invalid(
            f"The unit '{source}' measures {first.dimension.replace('_', ' ')}, "
            f"where {second.dimension.replace('_', ' ')} is meant; write it in {second.code}.",
            unit=source,
        )
    return first, second


def convert(value: float, source: str, target: str) -> float:
    """The value in another unit of its dimension. Raises Invalid when the dimensions differ."""
    if source == target:
        return value
    first, second = _pair(source, target)
    return (value * first.factor + first.offset - second.offset) / second.factor


def convert_difference(value: float, source: str, target: str) -> float:
    """A difference or standard uncertainty in another unit: no offset. Raises Invalid when the dimensions differ."""
    if source == target:
        return value
    first, second = _pair(source, target)
    return value * first.factor / second.factor
