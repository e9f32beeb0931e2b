"""Quantities on the wire: a value with its UCUM unit and, where measured, its standard uncertainty."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from events.errors import Invalid
from events.vocabulary.units import UNITS, convert, convert_difference, unit


def known_unit(code: str) -> str:
    """The code, when the table of units has it. Raises PydanticCustomError naming the near matches."""
    if code in UNITS:
        return code
    try:
        unit(code)
    except Invalid as error:
        raise PydanticCustomError("unit", "{detail}", {"detail": error.detail}) from error
    return code


UnitCode = Annotated[str, AfterValidator(known_unit)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]


class Plain(BaseModel):
    """A frozen value that refuses unknown fields, NaN and infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Quantity(Plain):
    """A value with its UCUM unit, e.g. {"value": 140, "unit": "Cel"}."""

    value: Finite
    unit: UnitCode

    def to(self, code: str) -> float:
        """The value in another unit of the same dimension. Raises Invalid otherwise."""
        return convert(self.value, self.unit, code)


class Measured(Quantity):
    """A measured value; `u` is the standard uncertainty (k = 1) in the same unit, where known."""

    u: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    def u_to(self, code: str) -> float | None:
        """The standard uncertainty in another unit of the same dimension (a difference: no offset)."""
        return None if self.u is None else convert_difference(self.u, self.unit, code)


class Range(Plain):
    """Limits in one unit; lower ≤ target ≤ upper, at least one of them given."""

    lower: Finite | None = None
    target: Finite | None = None
    upper: Finite | None = None
    unit: UnitCode

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        given = [value for value in (self.lower, self.target, self.upper) if value is not None]
        if not given:
            raise PydanticCustomError("limits", "no limit is given; name lower, target or upper")
        if given != sorted(given):
            raise PydanticCustomError(
                "limits",
                "lower ≤ target ≤ upper does not hold: lower {lower}, target {target}, upper {upper} {unit}",
                {"lower": self.lower, "target": self.target, "upper": self.upper, "unit": self.unit},
            )
        return self


def _in(code: str) -> AfterValidator:
    def check(quantity: Quantity) -> Quantity:
        if quantity.unit == code:
            return quantity
        try:
            convert(quantity.value, quantity.unit, code)
        except Invalid as error:
            raise PydanticCustomError("unit", "{detail}", {"detail": error.detail}) from error
        return quantity

    return AfterValidator(check)


Percent = Annotated[Measured, _in("%")]
Temperature = Annotated[Measured, _in("Cel")]
Speed = Annotated[Measured, _in("/min")]
Torque = Annotated[Measured, _in("N.m")]
Current = Annotated[Measured, _in("A")]
Hours = Annotated[Measured, _in("h")]
Velocity = Annotated[Measured, _in("mm/s")]
Frequency = Annotated[Quantity, _in("Hz")]
Mass = Annotated[Measured, _in("kg")]


def value_in(quantity: Mapping[str, Any], code: str) -> float:
    """The value of a stored quantity {"value", "unit"} in this unit."""
    return convert(float(quantity["value"]), quantity["unit"], code)


def uncertainty_in(quantity: Mapping[str, Any], code: str) -> float | None:
    """The standard uncertainty of a stored quantity in this unit, or None where it was not stated."""
    u = quantity.get("u")
    return None if u is None else convert_difference(float(u), quantity["unit"], code)
