"""Checked names: a characteristic key and a failure mode that the catalogues of the field know."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from events.errors import Invalid
from events.vocabulary import characteristics, failure_modes


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


CharacteristicKey = Annotated[str, AfterValidator(_characteristic)]
"""`level.symbol` of the catalogue, e.g. `magnet.HcJ`."""

FailureMode = Annotated[str, AfterValidator(_failure_mode)]
"""A code of domain.md A.10, e.g. `FM-DEM-U`."""
