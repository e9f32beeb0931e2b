"""Reading stored data: references as text, instants in UTC, quantities in their canonical unit."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.json import Decoder

from events.envelope import utc_text
from events.errors import Invalid
from events.refs import ref_name
from events.vocabulary import characteristics
from events.vocabulary.quantities import uncertainty_in, value_in


class Named(Struct, frozen=True, gc=False):
    """A stored reference."""

    issuer: str
    id: str


class Amount(Struct, frozen=True, gc=False):
    """A stored quantity: a value with its UCUM unit and, where it was stated, its standard uncertainty."""

    value: float
    unit: str
    u: float | None = None


for _struct in (Named, Amount):
    Decoder(_struct)  # looks through its fields, which no thread may while another does


def ref(value: Mapping[str, Any] | None) -> str | None:
    """`issuer:id` of a stored reference, or None."""
    return None if value is None else ref_name(value["issuer"], value["id"])


N = TypeVar("N", bound=float | None)


def finite(value: N) -> N:
    """The value as it is. Raises Invalid for an overflow: it would be a null in JSON."""
    if value is not None and not math.isfinite(value):
        raise Invalid("A value is beyond the range of numbers in the unit that it is kept in.")
    return value


def instant(value: str) -> str:
    """A stored moment as RFC 3339 in UTC with microseconds, so that text order is time order."""
    if value[19:] == "+00:00" and value[10] == "T":
        return f"{value[:19]}.000000Z"
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
