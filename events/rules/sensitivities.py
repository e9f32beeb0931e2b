"""Sensitivities: how a parent characteristic moves a child characteristic, with its prior and its source."""

from typing import Annotated, Literal

from pydantic import Field

from events.facts.base import Text
from events.refs import Ref
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain

Form = Literal[
    "linear", "elasticity", "elasticity_per_unit", "saturating", "quadratic", "log", "logit", "one_minus_cos"
]


class SensitivityAssigned(Plain):
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
