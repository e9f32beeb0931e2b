"""The names of units in the other dialects: UCUM, UN/CEFACT Recommendation 20, and SAMM, for exchange with partners."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class UnitName:
    """One unit in three dialects; a unit whose names were not confirmed has no row."""

    ucum: str
    rec20: str
    samm: str


_ROWS = (
    ("T", "D33", "tesla"), ("mT", "C29", "millitesla"),
    ("A/m", "AE", "amperePerMetre"), ("kA/m", "B24", "kiloamperePerMetre"),
    ("Cel", "CEL", "degreeCelsius"), ("K", "KEL", "kelvin"),
    ("%", "P1", "percent"), ("1", "C62", "one"), ("[ppm]", "59", "partPerMillion"),
    ("V", "VLT", "volt"), ("kV", "KVT", "kilovolt"), ("mV", "2Z", "millivolt"), ("A", "AMP", "ampere"),
    ("W", "WTT", "watt"), ("kW", "KWT", "kilowatt"),
    ("N.m", "NU", "newtonMetre"), ("N", "NEW", "newton"), ("kN", "B47", "kilonewton"),
    ("/min", "RPM", "revolutionsPerMinute"), ("Hz", "HTZ", "hertz"),
    ("s", "SEC", "secondUnitOfTime"), ("min", "MIN", "minuteUnitOfTime"), ("h", "HUR", "hour"), ("d", "DAY", "day"),
    ("m", "MTR", "metre"), ("mm", "MMT", "millimetre"), ("um", "4H", "micrometre"),
    ("g", "GRM", "gram"), ("kg", "KGM", "kilogram"), ("t", "TNE", "tonneMetricTon"),
    ("g/cm3", "23", "gramPerCubicCentimetre"), ("kg/m3", "KMQ", "kilogramPerCubicMetre"),
    ("mm/s", "C16", "millimetrePerSecond"), ("m/s", "MTS", "metrePerSecond"),
    ("m/s2", "MSK", "metrePerSecondSquared"), ("V.s", "WEB", "weber"),
    ("Ohm", "OHM", "ohm"), ("MOhm", "B75", "megaohm"), ("Ohm.m", "C61", "ohmMetre"), ("uOhm.m", "B95", "microohmMetre"),
    ("K/W", "B21", "kelvinPerWatt"), ("Pa", "PAL", "pascal"),
    ("kPa", "KPA", "kilopascal"), ("MPa", "MPA", "megapascal"),
    ("mg/cm2", "H63", "milligramPerSquareCentimetre"), ("deg", "DD", "degreeUnitOfAngle"), ("rad", "C81", "radian"),
    ("A.m2", "A5", "ampereSquareMetre"),
)  # fmt: skip

NAMES: tuple[UnitName, ...] = tuple(UnitName(*row) for row in _ROWS)
_BY_UCUM: Mapping[str, UnitName] = {row.ucum: row for row in NAMES}
_BY_REC20: Mapping[str, UnitName] = {row.rec20: row for row in NAMES}
_BY_SAMM: Mapping[str, UnitName] = {row.samm: row for row in NAMES}


def of_ucum(code: str) -> UnitName:
    """The row of this UCUM code. Raises Invalid where the other dialects have no name that we are sure of."""
    return _row(_BY_UCUM, code, "UCUM")


def of_rec20(code: str) -> UnitName:
    """The row of this UN/CEFACT code, e.g. `KGM`. Raises Invalid naming the near matches."""
    return _row(_BY_REC20, code, "UN/CEFACT Rec 20")


def of_samm(name: str) -> UnitName:
    """The row of this SAMM name, with or without `unit:`. Raises Invalid naming the near matches."""
    return _row(_BY_SAMM, name.removeprefix("unit:"), "SAMM")


def _row(table: Mapping[str, UnitName], code: str, dialect: str) -> UnitName:
    found = table.get(code)
    if found is None:
        near = get_close_matches(code, table, n=3, cutoff=0.5)
        hint = f"near matches: {', '.join(near)}" if near else "give the value in a unit of the exchange table"
        raise Invalid(f"The {dialect} unit '{code}' is not in the exchange table; {hint}.", unit=code)
    return found
