"""Sensitivities: how a parent characteristic moves a child characteristic, with its prior and its source."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from events.facts.base import Text
from events.refs import Name, Ref
from events.rules.texts import INITIAL, TextState, built, check_version, evolve, fold
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain

__all__ = [
    "INITIAL",
    "AssignSensitivity",
    "Form",
    "Sensitivity",
    "SensitivityAssigned",
    "TextState",
    "decide",
    "evolve",
    "fold",
]

Form = Literal[
    "linear", "elasticity", "elasticity_per_unit", "saturating", "quadratic", "log", "logit", "one_minus_cos"
]


class Sensitivity(Plain):
    """The edge parent → child: slope d(child)/d(parent), both in canonical units; prior mean and 1-sigma.

    For `saturating`, mean is the amplitude and `scale` the constant of 1 − exp(−x/scale).
    """

    sensitivity: Ref
    parent: CharacteristicKey
    child: CharacteristicKey
    form: Form
    mean: Finite
    sigma: Annotated[float, Field(ge=0)]
    unit: Text
    scale: Finite | None = None
    valid_from: Finite | None = None
    valid_to: Finite | None = None
    source: Text
    reason: Text
    by: Name | None = None


class SensitivityAssigned(Sensitivity):
    """The sensitivity holds from now on, whole; the last one assigned is in force."""


@dataclass(frozen=True, slots=True)
class AssignSensitivity:
    """Assign a sensitivity, or assign it anew; names the version it saw (None or 0: there is none)."""

    text: Sensitivity
    by: str
    version: int | None = None


def decide(state: TextState, command: AssignSensitivity) -> tuple[SensitivityAssigned]:
    """The event that follows. Raises VersionRequired, VersionConflict, Invalid."""
    what = f"The sensitivity {command.text.sensitivity}"
    check_version(what, f"sensitivities/{command.text.sensitivity}", state.version, command.version)
    return (built(SensitivityAssigned, {**command.text.model_dump(mode="json"), "by": command.by}, what),)
