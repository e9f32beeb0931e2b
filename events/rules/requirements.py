"""Requirements: what share of motors of a type must conform to what, at which reference condition."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.errors import NotFound, Refused
from events.facts.base import Moment, Text
from events.facts.tests import Standard
from events.refs import Name, Ref, ref_text
from events.rules.texts import INITIAL, TextState, built, check_held, check_version, evolve, fold
from events.vocabulary.keys import CharacteristicKey, FailureMode, check_unit
from events.vocabulary.quantities import Current, Hours, Plain, Range, Speed, Temperature, Torque

__all__ = [
    "INITIAL",
    "ReferenceCondition",
    "Requirement",
    "RequirementIssued",
    "RequirementRevised",
    "RequirementWithdrawn",
    "TextState",
    "Tolerance",
    "WithdrawRequirement",
    "WriteRequirement",
    "decide",
    "evolve",
    "fold",
]

Share = Annotated[float, Field(gt=0.5, lt=1)]


class Tolerance(Plain):
    """How far a test's set point may lie from the reference and still count."""

    speed_rpm: Annotated[float, Field(ge=0)] = 30.0
    torque_Nm: Annotated[float, Field(ge=0)] = 2.0
    temperature_K: Annotated[float, Field(ge=0)] = 2.0
    duration_pct: Annotated[float, Field(ge=0)] = 5.0
    current_pct: Annotated[float, Field(ge=0)] = 2.0


class ReferenceCondition(Plain):
    """Where the motor's true value is meant: operating point, temperatures, exposure, benches, build date.

    A field that is null does not restrict which results count.
    """

    speed: Speed | None = None
    torque: Torque | None = None
    winding_temperature: Temperature | None = None
    magnet_temperature: Temperature | None = None
    soak_temperature: Temperature | None = None
    soak_duration: Hours | None = None
    fault_current: Current | None = None
    benches: tuple[Ref, ...] = ()
    built_from: Moment | None = None
    tolerance: Tolerance = Tolerance()


class Requirement(Plain):
    """The share `conformance` of motors meets `limits`, shown with `confidence`.

    `convention`: `supply` (accepted supply conforms on average) or `at_limit` (for safety).
    Conformance is of the motor's true value: lot, motor and stator scatter count; bench and repeatability do not.
    For `motor.life` the lower limit is a life in hours and `failure_modes` names the modes that count.
    """

    requirement: Ref
    motor_type: Ref
    title: Text
    metric: CharacteristicKey
    limits: Range
    conformance: Share = 0.98
    confidence: Share = 0.95
    convention: Literal["supply", "at_limit"] = "supply"
    safety: bool = False
    failure_modes: tuple[FailureMode, ...] = ()
    reference: ReferenceCondition = ReferenceCondition()
    standard: Standard | None = None
    reason: Text
    by: Name | None = None

    @model_validator(mode="after")
    def _one_sided(self) -> Self:
        check_unit(self.metric, self.limits.unit)
        if (self.limits.lower is None) == (self.limits.upper is None):
            raise PydanticCustomError("limits", "a requirement bounds one side: give either lower or upper")
        if self.safety and self.convention != "at_limit":
            raise PydanticCustomError("convention", "a safety requirement uses the convention 'at_limit'")
        if (self.metric == "motor.life") != bool(self.failure_modes):
            raise PydanticCustomError("failure_modes", "name failure modes exactly for the metric motor.life")
        return self


class RequirementIssued(Requirement):
    """A requirement holds from now on."""


class RequirementRevised(Requirement):
    """The requirement's new text, whole."""


class RequirementWithdrawn(Plain):
    """The requirement no longer holds."""

    requirement: Ref
    reason: Text
    by: Name | None = None


@dataclass(frozen=True, slots=True)
class WriteRequirement:
    """Issue a requirement, or revise it whole; names the version it saw (None or 0: there is none)."""

    text: Requirement
    by: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class WithdrawRequirement:
    """Let a requirement no longer hold; names the version it saw."""

    requirement: Ref
    reason: str
    by: str
    version: int | None = None


Decided = tuple[RequirementIssued | RequirementRevised | RequirementWithdrawn]


def decide(state: TextState, command: WriteRequirement | WithdrawRequirement) -> Decided:
    """The event that follows. The first requirement's append also holds `events.rules.defaults.defaults`.

    Raises VersionRequired, VersionConflict, NotFound, Refused (withdrawn, or for another motor type), Invalid.
    """
    name = command.requirement if isinstance(command, WithdrawRequirement) else command.text.requirement
    what = f"The requirement {name}"
    if isinstance(command, WithdrawRequirement) and not state.version:
        raise NotFound(f"There is no requirement {name}.")
    check_version(what, f"requirements/{name}", state.version, command.version)
    check_held(what, state)
    if isinstance(command, WithdrawRequirement):
        content = {"requirement": name.model_dump(), "reason": command.reason, "by": command.by}
        return (built(RequirementWithdrawn, content, "The withdrawal"),)
    _same_type(state, command.text)
    content = {**command.text.model_dump(mode="json"), "by": command.by}
    if state.version:
        return (built(RequirementRevised, content, what),)
    return (built(RequirementIssued, content, what),)


def _same_type(state: TextState, text: Requirement) -> None:
    if state.text is not None and ref_text(state.text["motor_type"]) != str(text.motor_type):
        raise Refused(
            f"The requirement {text.requirement} is for {ref_text(state.text['motor_type'])}; a revision keeps the "
            "motor type. Issue another requirement."
        )
