"""Earlier versions of facts: as they were released, accepted and read for ever, each with its way to the next."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from events.facts.tests import TestResult
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Velocity


class VibrationMeasuredV1(TestResult):
    """Vibration velocity, r.m.s., in a stated band (IEC 60034-14); broadband `motor.v` or 1x `motor.v_1x`."""

    characteristic: Annotated[CharacteristicKey, Field(pattern=r"^motor\.(v|v_1x)$")] = "motor.v"
    velocity: Velocity
    band_low_Hz: float = 10.0
    band_high_Hz: float = 1000.0
    mounting: Literal["free", "rigid"] = "free"


def vibration_v2(data: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 took the band of IEC 60034-14 and free suspension where a result said nothing; version 2 states them.

    Whatever version 1 let pass stays as it was told, a band upside down included: an upcaster corrects nothing.
    """
    kept = {name: value for name, value in data.items() if name not in {"band_low_Hz", "band_high_Hz"}}
    low, high = data.get("band_low_Hz", 10.0), data.get("band_high_Hz", 1000.0)
    band = {"low": {"value": low, "unit": "Hz"}, "high": {"value": high, "unit": "Hz"}}
    return {**kept, "band": band, "mounting": data.get("mounting", "free")}
