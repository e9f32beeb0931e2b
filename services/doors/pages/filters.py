"""How numbers, units, references and times are written on a page."""

import math
from datetime import datetime
from typing import Any
from urllib.parse import quote

from events.refs import parse_ref
from services.doors.drawings import number

_UNITS = {
    "1": "",
    "Cel": "°C",
    "[ppm]": "ppm",
    "/min": "min⁻¹",
    "/K": "K⁻¹",
    "/h": "h⁻¹",
    "N.m": "N·m",
    "V.s": "V·s",
    "mV.min": "V per 1 000 min⁻¹",
    "kJ/m3": "kJ/m³",
    "g/cm3": "g/cm³",
    "mg/cm2": "mg/cm²",
    "m/s2": "m/s²",
    "um": "µm",
    "uOhm.m": "µΩ·m",
    "Ohm": "Ω",
    "MOhm": "MΩ",
    "deg": "°",
}


def figure(value: Any) -> str:
    """A number with the digits that a limit needs; text stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(float(value), 5)


def figures(value: float, digits: int = 2) -> str:
    """A number with so many significant digits."""
    return number(float(value), digits)


def count(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def unit(code: str) -> str:
    """A UCUM code as people print it."""
    return _UNITS.get(code, code)


def share(value: float) -> str:
    """A fraction as per cent."""
    return f"{100.0 * value:.3g} %"


def probability(value: float) -> str:
    """A probability; never 0 or 1, which no data show."""
    if not math.isfinite(value):
        return "—"
    if value < 0.001:
        return "< 0.001"
    return "> 0.999" if value > 0.999 else f"{value:.3f}"


def name(ref: Any) -> str:
    """A reference `issuer:id` as people say it: the id, with its issuer behind it."""
    if isinstance(ref, dict):
        return str(ref["id"])
    parsed = parse_ref(str(ref))
    return parsed.id if parsed.id == parsed.issuer else f"{parsed.id} ({parsed.issuer})"


def id_of(ref: Any) -> str:
    """The id alone, where the issuer stands beside it."""
    return str(ref["id"]) if isinstance(ref, dict) else parse_ref(str(ref)).id


def path(ref: Any) -> str:
    """A reference as it stands in a path: percent-encoded once more, so that the parts' own encoding survives."""
    if isinstance(ref, dict):
        ref = f"{quote(ref['issuer'], safe='')}:{quote(ref['id'], safe='')}"
    return quote(str(ref), safe=":")


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def day(value: Any) -> str:
    """A date."""
    return _moment(value).strftime("%Y-%m-%d")


def moment(value: Any) -> str:
    """A date and time, in UTC."""
    return _moment(value).strftime("%Y-%m-%d %H:%M") + " UTC"


FILTERS = {
    "number": figure,
    "figures": figures,
    "count": count,
    "unit": unit,
    "share": share,
    "probability": probability,
    "name": name,
    "id": id_of,
    "path": path,
    "day": day,
    "moment": moment,
}
