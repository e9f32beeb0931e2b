"""Checked names: a characteristic key and a failure mode that the catalogues of the field know."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from events.errors import Invalid
from events.vocabulary import characteristics, failure_modes
from events.vocabulary.units import convert


def _characteristic(key: str) -> str:
    try:
        characteristics.find(key)
    except Invalid as error:
        raise PydanticCustomError("characteristic", "{detail}", {"detail": error.detail}) from error
    return key


def _failure_mode(code: str) -> str:
    try:
        failure_modes.find(code)
    except Invalid as error:
        raise PydanticCustomError("failure_mode", "{detail}", {"detail": error.detail}) from error
    return code


def check_unit(key: str, code: str) -> None:
    """A value of this characteristic may be written in this unit. Raises PydanticCustomError naming the right one."""
    row = characteristics.find(key)
    try:
        convert(1.0, code, row.unit)
    except Invalid as error:
        raise PydanticCustomError("unit", "{key}: {detail}", {"key": key, "detail": error.detail}) from error


CharacteristicKey = Annotated[str, AfterValidator(_characteristic)]
"""`level.symbol` of the catalogue, e.g. `magnet.HcJ`."""

FailureMode = Annotated[str, AfterValidator(_failure_mode)]
"""A code of domain.md A.10, e.g. `FM-DEM-U`."""
