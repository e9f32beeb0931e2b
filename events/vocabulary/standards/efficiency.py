"""Efficiency classes IE1 to IE5 at 50 Hz: the limit of a class, and the class of an efficiency (IEC 60034-30-1)."""

import math
from collections.abc import Mapping

from events.errors import Invalid

CLASSES = ("IE1", "IE2", "IE3", "IE4", "IE5")
Coefficients = tuple[float, float, float, float]

_LARGE: Mapping[str, Mapping[int, Coefficients]] = {
    "IE1": {
        2: (0.5234, -5.0499, 17.4180, 74.3171), 4: (0.5234, -5.0499, 17.4180, 74.3171),
        6: (0.0786, -3.5838, 17.2918, 72.2383),
    },
    "IE2": {
        2: (0.2972, -3.3454, 13.0651, 79.077), 4: (0.0278, -1.9247, 10.4395, 80.9761),
        6: (0.0148, -2.4978, 13.247, 77.5603), 8: (2.1311, -12.029, 26.719, 69.735),
    },
    "IE3": {
        2: (0.3569, -3.3076, 11.6108, 82.2503), 4: (0.0773, -1.8951, 9.2984, 83.7025),
        6: (0.1252, -2.613, 11.9963, 80.4769), 8: (0.7189, -5.1678, 15.705, 77.074),
    },
    "IE4": {
        2: (0.34, -3.0479, 10.293, 84.8208), 4: (0.2412, -2.3608, 8.446, 86.8321),
        6: (0.3598, -3.2107, 10.7933, 84.107), 8: (0.6556, -4.7229, 13.977, 80.247),
    },
}  # fmt: skip
"""A, B, C, D by class and poles, 0.75 to 200 kW (domain dossier A.2; IE2 to IE4 V:S01, IE1 K)."""

_SMALL: Mapping[str, Mapping[int, Coefficients]] = {
    "IE2": {
        2: (22.4864, 27.7603, 37.8091, 82.458), 4: (17.2751, 23.978, 35.5822, 84.9935),
        6: (-15.9218, -30.258, 16.6861, 79.1838), 8: (6.4855, 9.4748, 36.852, 70.762),
    },
    "IE3": {
        2: (6.8532, 6.2006, 25.1317, 84.0392), 4: (7.6356, 4.8236, 21.0903, 86.0998),
        6: (-17.361, -44.538, -3.0554, 79.1318), 8: (-0.5896, -25.526, 4.2884, 75.831),
    },
    "IE4": {
        2: (-8.8538, -20.3352, 8.9002, 85.0641), 4: (8.432, 2.6888, 14.6236, 87.6153),
        6: (-13.0355, -36.9497, -4.3621, 82.0009), 8: (-4.9735, -21.453, 2.6653, 79.055),
    },
}  # fmt: skip
"""The same, 0.12 to 0.55 kW (V:S01)."""

SMALLEST_kW, LARGEST_SMALL_kW, SMALLEST_LARGE_kW, LARGEST_kW, TOP_kW = 0.12, 0.55, 0.75, 200.0, 1000.0


def limit_pct(ie_class: str, power_kW: float, poles: int) -> float:
    """The nominal efficiency limit in %, unrounded: A·x³ + B·x² + C·x + D with x = log10(P/kW) (domain.md A.2).

    From 200 to 1 000 kW the 200 kW value holds (K). A rating between 0.55 and 0.75 kW takes the limit of the nearer
    of the two. IE5 has 20 % less relative loss than IE4: q = 1/η − 1, η = 1/(1 + 0.8·q); it may differ by 0.1 from
    the printed table. Raises Invalid for a class, pole count or power that the standard does not cover.
    """
    if ie_class == "IE5":
        below = limit_pct("IE4", power_kW, poles) / 100.0
        return 100.0 / (1.0 + 0.8 * (1.0 / below - 1.0))
    a, b, c, d = _coefficients(ie_class, power_kW, poles)
    x = math.log10(_table_power(power_kW))
    return a * x**3 + b * x**2 + c * x + d


def printed_limit_pct(ie_class: str, power_kW: float, poles: int) -> float:
    """The limit as tables print it, to one decimal."""
    return round(limit_pct(ie_class, power_kW, poles), 1)


def classify(efficiency_pct: float, power_kW: float, poles: int) -> tuple[str | None, float]:
    """The highest class whose printed limit is met (None: below all) and the margin in % to that or the lowest limit.

    A class claim compares the rated value of the type with the limit, not a single motor (domain.md A.2).
    """
    known = [name for name in CLASSES if _covers(name, power_kW, poles)]
    if not known:
        _coefficients("IE3", power_kW, poles)
    limits = {name: printed_limit_pct(name, power_kW, poles) for name in known}
    met = [name for name in known if efficiency_pct >= limits[name]]
    named = met[-1] if met else None
    return named, efficiency_pct - limits[named or known[0]]


def _table_power(power_kW: float) -> float:
    if LARGEST_SMALL_kW < power_kW < SMALLEST_LARGE_kW:
        middle = 0.5 * (LARGEST_SMALL_kW + SMALLEST_LARGE_kW)
        return LARGEST_SMALL_kW if power_kW < middle else SMALLEST_LARGE_kW
    return min(power_kW, LARGEST_kW)


def _coefficients(ie_class: str, power_kW: float, poles: int) -> Coefficients:
    if ie_class not in CLASSES:
        raise Invalid(f"The efficiency class '{ie_class}' is not one of {', '.join(CLASSES)}.", ie_class=ie_class)
    if not SMALLEST_kW <= power_kW <= TOP_kW:
        raise Invalid(f"{power_kW:g} kW is outside 0.12 to 1 000 kW, for which classes exist.", power_kW=power_kW)
    table = _SMALL if _table_power(power_kW) <= LARGEST_SMALL_kW else _LARGE
    if not _covers(ie_class, power_kW, poles):
        there = ", ".join(name for name in CLASSES if _covers(name, power_kW, poles)) or "no class"
        raise Invalid(
            f"{ie_class} has no limit that we know at {power_kW:g} kW with {poles} poles; there is {there}.",
            poles=poles,
        )
    return table[ie_class][poles]


def _covers(ie_class: str, power_kW: float, poles: int) -> bool:
    """IE4 with 6 poles rises above 200 kW by values that are not in a public table: not guessed."""
    base = "IE4" if ie_class == "IE5" else ie_class
    table = _SMALL if _table_power(power_kW) <= LARGEST_SMALL_kW else _LARGE
    unknown = base == "IE4" and poles == 6 and power_kW > LARGEST_kW
    return SMALLEST_kW <= power_kW <= TOP_kW and poles in table.get(base, {}) and not unknown
