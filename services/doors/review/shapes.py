"""Bodies and answers of the review door (design.md §6); a reference may be written `issuer:id` or {issuer, id}."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, PlainSerializer

from events.errors import Invalid
from events.facts.base import Text
from events.refs import Ref, parse_ref
from events.rules.proposals import AmendedLimit, ProposedRevision
from events.rules.specs import Effectivity, Sourcing, SpecLevel, Statistic
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain, Range, Temperature, UnitCode


def _reference(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_ref(value)
    except Invalid as error:
        raise ValueError(error.detail) from error


Reference = Annotated[Ref, BeforeValidator(_reference), PlainSerializer(str)]


class LimitBody(Plain):
    """Limits for one characteristic of one specification."""

    spec: Reference
    characteristic: CharacteristicKey
    lower: Finite | None = None
    target: Finite | None = None
    upper: Finite | None = None
    unit: UnitCode

    def amended(self) -> AmendedLimit:
        """As the rules take it."""
        return AmendedLimit.model_validate({name: getattr(self, name) for name in type(self).model_fields})


class DecisionBody(Plain):
    """A decision; `limits` with amend, `until` with defer."""

    decision: Literal["approve", "amend", "reject", "defer"]
    reason: Text
    limits: tuple[LimitBody, ...] = ()
    until: AwareDatetime | None = None


class CommentBody(Plain):
    """A comment on a case."""

    comment: Text


class RevisionBody(Plain):
    """One revision of a person's own proposal: new limits for a characteristic, or a new sourcing."""

    spec: Reference
    level: SpecLevel
    item: Reference
    suppliers: tuple[Reference, ...] = ()
    characteristic: CharacteristicKey
    statistic: Statistic = "lot_mean"
    temperature: Temperature | None = None
    new: Range | None = None
    sourcing: Sourcing | None = None
    why: Text

    def proposed(self) -> ProposedRevision:
        """As the rules take it."""
        return ProposedRevision.model_validate({name: getattr(self, name) for name in type(self).model_fields})


class OwnBody(Plain):
    """A person's own proposal."""

    title: Text
    reason: Text
    revisions: Annotated[tuple[RevisionBody, ...], Field(min_length=1)]
    requirement: Reference | None = None
    item: Reference | None = None
    suppliers: tuple[Reference, ...] = ()
    effectivity: Effectivity | None = None


class BoundBody(Plain):
    """A limit to try out; `spec` is not needed."""

    characteristic: CharacteristicKey
    lower: Finite | None = None
    upper: Finite | None = None
    unit: UnitCode


class WhatIfBody(Plain):
    """Limits to try out on the recorded lots: of one magnet item, or of all."""

    limits: Annotated[tuple[BoundBody, ...], Field(min_length=1, max_length=50)]
    item: Reference | None = None


class LimitsShape(BaseModel):
    """Limits in one unit."""

    lower: float | None
    target: float | None
    upper: float | None
    unit: str


class RevisionShape(BaseModel):
    """One characteristic of one specification, before and after; limits are on the true value."""

    spec: str
    level: str
    item: str
    suppliers: list[str]
    characteristic: str
    statistic: str
    temperature: Any
    old: LimitsShape | None
    new: LimitsShape | None
    acceptance: Any
    sourcing: Any
    why: str
    extrapolated: bool


class EvidenceShape(BaseModel):
    """What the proposal rests on."""

    position: int
    method: str
    policy: str
    policy_version: int
    motors: int
    lots: int
    results: int
    synthetic: bool


class ProposalShape(BaseModel):
    """A case with its proposal."""

    id: str
    case: str
    version: int
    state: str
    title: str
    conclusion: str | None
    requirement: str | None
    round: int
    proposed_by: str | None
    amended_by: list[str]
    approvals: list[str]
    revisions: list[RevisionShape]
    evidence: EvidenceShape | None
    related: list[str]
    missing: list[str]


class ProposalPage(BaseModel):
    """A page of proposals."""

    items: list[ProposalShape]
    next_cursor: str | None
    has_more: bool


class RevisedShape(BaseModel):
    """A specification and the revision that was issued."""

    spec: str
    revision: int


class DecisionAnswer(BaseModel):
    """What a decision brought about."""

    proposal: ProposalShape
    revisions: list[RevisedShape]
    notices: list[str]
    position: int
