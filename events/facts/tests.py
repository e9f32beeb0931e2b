"""Test results of motors: efficiency, flux, thermal degradation, vibration, failure, survival, and their voiding."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.facts.base import EventRef, Fact, Hash, Moment, Text
from events.refs import Name, Ref
from events.vocabulary.keys import CharacteristicKey, FailureMode, check_unit
from events.vocabulary.quantities import (
    Current,
    Frequency,
    Hours,
    Measured,
    Percent,
    Plain,
    Speed,
    Temperature,
    Torque,
    Velocity,
)


class OperatingPoint(Plain):
    """The set point of the test; what was measured there goes into the result."""

    speed: Speed | None = None
    torque: Torque | None = None
    voltage: Measured | None = None


class MagnetTemperature(Plain):
    """The magnet temperature and how it was known; `unknown` has no value and cannot blame a lot."""

    how: Literal["embedded_sensor", "back_emf", "model", "proxy", "unknown"]
    value: Temperature | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _value_when_known(self) -> Self:
        if (self.how == "unknown") != (self.value is None):
            raise PydanticCustomError("magnet_temperature", "give a value exactly when `how` is not 'unknown'")
        if self.value is not None and self.value.u is None:
            raise PydanticCustomError("magnet_temperature", "a magnet temperature needs its standard uncertainty `u`")
        return self


class Standard(Plain):
    """The test standard with its edition, and the clause or method letter."""

    standard: Text
    edition: Text
    clause: Text | None = None


class TestResult(Fact):
    """What every result names: motor, bench, conditions, why it was tested, standard, recording."""

    motor: Ref
    bench: Ref
    tested_at: Moment
    operator: Name | None = None
    fixture: Name | None = None
    calibration: Name | None = None
    operating_point: OperatingPoint = OperatingPoint()
    magnet_temperature: MagnetTemperature = MagnetTemperature(how="unknown")
    winding_temperature: Temperature | None = None
    why: Literal["all", "random", "suspect", "retest"]
    standard: Standard | None = None
    recording: Hash | None = None


class EfficiencyMeasured(TestResult):
    """Efficiency at an operating point (IEC 60034-2-1, 60034-2-3)."""

    efficiency: Percent
    input_power: Measured | None = None
    output_power: Measured | None = None
    loss: Measured | None = None

    @model_validator(mode="after")
    def _physical(self) -> Self:
        if not 0 < self.efficiency.to("%") <= 100:
            raise PydanticCustomError("efficiency", "an efficiency lies above 0 and at most at 100 %")
        return self


class FluxMeasured(TestResult):
    """Back-EMF constant or flux linkage, as measured at the stated magnet temperature (domain.md A.6)."""

    characteristic: Annotated[CharacteristicKey, Field(pattern=r"^motor\.(Ke20|psi_m20)$")]
    value: Measured
    referred_to: Temperature | None = None

    @model_validator(mode="after")
    def _unit_fits(self) -> Self:
        check_unit(self.characteristic, self.value.unit)
        return self


class Soak(Plain):
    """Exposure before the loss was measured; results are pooled only at equal exposure."""

    temperature: Temperature
    duration: Hours
    fault_current: Current | None = None


class ThermalDegradationMeasured(TestResult):
    """Irreversible flux loss after a soak, or insulation life consumed (domain.md A.4; IEC TR 62518)."""

    characteristic: Annotated[CharacteristicKey, Field(pattern=r"^motor\.(dpsi_irr|dpsi_sc|D_ins)$")]
    loss: Measured
    soak: Soak

    @model_validator(mode="after")
    def _unit_fits(self) -> Self:
        check_unit(self.characteristic, self.loss.unit)
        return self


class Band(Plain):
    """The frequencies within which something was measured, lowest and highest."""

    low: Frequency
    high: Frequency

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.low.to("Hz") < self.high.to("Hz"):
            raise PydanticCustomError("band", "a band runs from a low frequency of 0 or more to a higher one")
        return self


class VibrationMeasured(TestResult):
    """Vibration velocity, r.m.s., in a stated band on a stated mounting (IEC 60034-14).

    Broadband `motor.v` or 1x `motor.v_1x`. Both conditions move the limit, so neither has a default.
    """

    characteristic: Annotated[CharacteristicKey, Field(pattern=r"^motor\.(v|v_1x)$")] = "motor.v"
    velocity: Velocity
    band: Band
    mounting: Literal["free", "rigid"]


class FailureObserved(TestResult):
    """A motor failed: mode (domain.md A.10), life at failure, evidence of the mechanism."""

    mode: FailureMode
    life: Hours
    mechanism_evidence: Text | None = None
    confidence: Literal["confirmed", "probable", "possible"] = "probable"


class SurvivalObserved(TestResult):
    """A motor had not failed by this life (right-censored)."""

    life: Hours


class TestVoided(Fact):
    """A result counts nowhere from now on, whichever of the two arrives first; the fact stays."""

    motor: Ref
    test: EventRef
    reason: Text
