"""Specifications: limits on magnet, alloy, process and sourcing, numbered in revisions without holes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.envelope import Recorded
from events.errors import Refused
from events.facts.base import Custody, EventRef, Text
from events.refs import Name, Ref, ref_text
from events.rules.texts import built, check_version
from events.vocabulary.keys import CharacteristicKey, check_unit
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

    @model_validator(mode="after")
    def _unit_fits(self) -> Self:
        check_unit(self.characteristic, self.limits.unit)
        return self


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


class SpecText(Plain):
    """What a specification says: a level, an item, the suppliers it binds (empty: all), its limits or its sourcing."""

    spec: Ref
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
    by: Name | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        keys = [limit.characteristic for limit in self.limits]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice:
            raise PydanticCustomError("limits", "{key} is limited twice; state its limits once", {"key": twice})
        other = next((key for key in keys if key.partition(".")[0] != self.level), None)
        if other:
            words = {"key": other, "level": self.level}
            raise PydanticCustomError("limits", "{key} does not belong in a specification of level {level}", words)
        if not self.limits and self.sourcing is None:
            raise PydanticCustomError("limits", "a specification says something: give limits, or sourcing")
        if self.level == "sourcing" and self.sourcing is None:
            raise PydanticCustomError("sourcing", "a sourcing specification says what may be sourced: give sourcing")
        return self


class Spec(SpecText):
    """One revision of a specification, whole."""

    revision: Annotated[int, Field(ge=1)]


class SpecIssued(Spec):
    """The first revision of a specification."""


class SpecRevised(Spec):
    """A later revision, whole; earlier ones stay readable."""


@dataclass(frozen=True, slots=True)
class SpecState:
    """A specification as its events leave it: every revision as stored; the last one is current."""

    revisions: tuple[Mapping[str, Any], ...] = ()
    version: int = 0

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The last revision, effective or not yet; None before the first."""
        return self.revisions[-1] if self.revisions else None


INITIAL = SpecState()


@dataclass(frozen=True, slots=True)
class WriteSpec:
    """Issue a specification, or revise it; names the revision it saw (None or 0: there is none)."""

    text: SpecText
    by: str
    version: int | None = None


def evolve(state: SpecState, recorded: Recorded) -> SpecState:
    """The state after one more event of the specification's stream."""
    version = state.version + 1 if recorded.stream_version is None else recorded.stream_version
    return SpecState((*state.revisions, recorded.data), version)


def fold(events: Iterable[Recorded]) -> SpecState:
    """The state that these events of one specification build, in order."""
    state = INITIAL
    for recorded in events:
        state = evolve(state, recorded)
    return state


def decide(state: SpecState, command: WriteSpec) -> tuple[Spec]:
    """The next revision, numbered without holes.

    Raises VersionRequired, VersionConflict; Refused when level or item would change; Invalid.
    """
    text = command.text
    check_version(f"The specification {text.spec}", f"specs/{text.spec}", state.version, command.version)
    current = state.current
    if current is not None and (current["level"] != text.level or ref_text(current["item"]) != str(text.item)):
        raise Refused(
            f"The specification {text.spec} is of level {current['level']} for {ref_text(current['item'])}; "
            "a revision keeps both. Issue another specification."
        )
    return (revised(state, {**text.model_dump(mode="json"), "by": command.by}),)


def revised(state: SpecState, content: Mapping[str, Any]) -> Spec:
    """The next revision with this content: SpecIssued as number 1, SpecRevised after it. Raises Invalid."""
    model: type[Spec] = SpecRevised if state.revisions else SpecIssued
    return built(model, {**content, "revision": state.version + 1}, "The specification")


def effective(
    state: SpecState, on: date, lot: str | None = None, serial: str | None = None
) -> Mapping[str, Any] | None:
    """The revision that binds on a date, or for a lot or motor (`issuer:id`); None when none does yet.

    The latest revision whose date has come binds; a lot or serial named as the first one is bound whatever the date.
    """
    for revision in reversed(state.revisions):
        start: Mapping[str, Any] = revision["effectivity"]
        named = {_text(start.get("first_lot")), _text(start.get("first_serial"))} - {None}
        if date.fromisoformat(start["date"]) <= on or named & {lot, serial}:
            return dict(revision)
    return None


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else ref_text(value)
