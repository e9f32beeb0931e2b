"""Specifications: limits on magnet, alloy, process and sourcing, numbered in revisions without holes."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from events.facts.base import Custody, EventRef, Text
from events.refs import Ref
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Plain, Range, Temperature

SpecLevel = Literal["magnet", "alloy", "process", "sourcing"]
Statistic = Literal["lot_mean", "each_piece", "minimum_of_n"]
DecisionRule = Literal["shared_risk", "guard_U", "guard_0.82U"]


class Limit(Plain):
    """The limits on one characteristic's true value: which statistic they bound, and at which temperature."""

    characteristic: CharacteristicKey
    limits: Range
    statistic: Statistic = "lot_mean"
    n: Annotated[int, Field(gt=0)] | None = None
    temperature: Temperature | None = None
    sampling_plan: Text | None = None
    specimen_position: Text | None = None
    method: Text | None = None
    laboratory: Ref | None = None
    decision_rule: DecisionRule = "guard_0.82U"
    special_class: Literal["standard", "significant", "critical"] = "standard"


class Sourcing(Plain):
    """What may be sourced from whom: excluded and permitted sources, custody, required evidence."""

    permitted_sources: tuple[Text, ...] = ()
    excluded_sources: tuple[Text, ...] = ()
    custody_model: Custody | None = None
    required_evidence: tuple[Text, ...] = ()


class Effectivity(Plain):
    """From when, from which lot, from which serial the revision binds."""

    date: date
    first_lot: Ref | None = None
    first_serial: Ref | None = None


class Spec(Plain):
    """One specification: a level, an item, the suppliers it binds (empty: all), its limits or its sourcing."""

    spec: Ref
    revision: Annotated[int, Field(ge=1)]
    level: SpecLevel
    item: Ref
    suppliers: tuple[Ref, ...] = ()
    limits: tuple[Limit, ...] = ()
    sourcing: Sourcing | None = None
    effectivity: Effectivity
    run_out: Text = "Stock made before the effectivity may be used up."
    reason: Text
    case: Text | None = None
    round: int | None = None
    evidence: tuple[EventRef, ...] = ()
    origin: Literal["measured", "synthetic"] = "measured"


class SpecIssued(Spec):
    """The first revision of a specification."""


class SpecRevised(Spec):
    """A later revision, whole; earlier ones stay readable."""
