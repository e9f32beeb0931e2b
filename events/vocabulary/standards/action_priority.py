"""FMEA action priority of AIAG-VDA 2019: high, medium or low from severity, occurrence and detection."""

from collections.abc import Sequence

from events.errors import Invalid

Row = tuple[range, range, Sequence[tuple[range, str]]]


def _from(low: int, high: int) -> range:
    return range(low, high + 1)


_TABLE: tuple[Row, ...] = (
    (_from(9, 10), _from(6, 10), ((_from(1, 10), "H"),)),
    (_from(9, 10), _from(4, 5), ((_from(2, 10), "H"), (_from(1, 1), "M"))),
    (_from(9, 10), _from(2, 3), ((_from(7, 10), "H"), (_from(5, 6), "M"), (_from(1, 4), "L"))),
    (_from(7, 8), _from(8, 10), ((_from(1, 10), "H"),)),
    (_from(7, 8), _from(6, 7), ((_from(2, 10), "H"), (_from(1, 1), "M"))),
    (_from(7, 8), _from(4, 5), ((_from(7, 10), "H"), (_from(1, 6), "M"))),
    (_from(7, 8), _from(2, 3), ((_from(5, 10), "M"), (_from(1, 4), "L"))),
    (_from(4, 6), _from(8, 10), ((_from(5, 10), "H"), (_from(1, 4), "M"))),
    (_from(4, 6), _from(6, 7), ((_from(2, 10), "M"), (_from(1, 1), "L"))),
    (_from(4, 6), _from(4, 5), ((_from(7, 10), "M"), (_from(1, 6), "L"))),
    (_from(4, 6), _from(2, 3), ((_from(1, 10), "L"),)),
    (_from(2, 3), _from(8, 10), ((_from(5, 10), "M"), (_from(1, 4), "L"))),
    (_from(2, 3), _from(1, 7), ((_from(1, 10), "L"),)),
)
"""Severity, occurrence, then detection with the priority (V:S68, cross-checked K)."""


def action_priority(severity: int, occurrence: int, detection: int) -> str:
    """`H`, `M` or `L` for ratings from 1 to 10 (domain.md F.5). Raises Invalid outside."""
    if not all(1 <= rating <= 10 for rating in (severity, occurrence, detection)):
        raise Invalid(f"Ratings go from 1 to 10, not ({severity}, {occurrence}, {detection}).")
    if severity == 1 or occurrence == 1:
        return "L"
    for severities, occurrences, detections in _TABLE:
        if severity in severities and occurrence in occurrences:
            return next(priority for ratings, priority in detections if detection in ratings)
    raise Invalid(f"The action priority table has no row for ({severity}, {occurrence}, {detection}).")
