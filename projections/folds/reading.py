"""Reading stored data: references as text, instants in UTC, quantities in their canonical unit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from events.envelope import utc_text
from events.refs import ref_text
from events.vocabulary import characteristics
from events.vocabulary.quantities import uncertainty_in, value_in


def ref(value: dict[str, Any] | None) -> str | None:
    """`issuer:id` of a stored reference, or None."""
    return None if value is None else ref_text(value)


def instant(value: str) -> str:
    """A stored moment as RFC 3339 in UTC with microseconds, so that text order is time order."""
    return utc_text(datetime.fromisoformat(value))


def instant_or_none(value: Any) -> str | None:
    return None if value is None else instant(value)


def origin(data: Mapping[str, Any]) -> str:
    """`measured` or `synthetic`."""
    return str(data.get("origin") or "measured")


def quantity(value: Mapping[str, Any] | None, unit: str) -> float | None:
    """A stored quantity in this unit, or None where it is not stated."""
    return None if value is None else value_in(value, unit)


def measured(key: str, value: Mapping[str, Any]) -> tuple[float, float | None, str]:
    """(value, standard uncertainty, unit) of a characteristic in its canonical unit. Raises Invalid for another one."""
    unit = characteristics.find(key).unit
    return value_in(value, unit), uncertainty_in(value, unit), unit
