"""The events in the life of a case, from its opening to its enactment."""

from typing import Annotated, Any, Literal

from pydantic import Field

from events.facts.base import EventRef, Moment, Text
from events.refs import Name, Ref
from events.rules.specs import DecisionRule, Effectivity, Sourcing, SpecLevel, Statistic
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain, Range, Temperature, UnitCode

Conclusion = Literal["tighten", "loosen", "sourcing", "evidence_required", "no_characteristic", "manual"]


class Acceptance(Plain):
    """The limits on a measured value with standard uncertainty `u`: the true limits and a guard band."""

    lower: Finite | None = None
    upper: Finite | None = None
    unit: UnitCode
    rule: DecisionRule
    u: Finite | None = None


class Step(Plain):
    """One step of a derivation: what was computed from what, with its number and uncertainty."""

    name: Text
    value: Finite | None = None
    u: Finite | None = None
    unit: str | None = None
    source: Text | None = None


class ProposedRevision(Plain):
    """One characteristic of one specification: its limits before and after, and how the new ones follow."""

    spec: Ref
    level: SpecLevel
    item: Ref
    suppliers: tuple[Ref, ...] = ()
    characteristic: CharacteristicKey
    statistic: Statistic = "lot_mean"
    temperature: Temperature | None = None
    old: Range | None = None
    new: Range | None = None
    acceptance: Acceptance | None = None
    sourcing: Sourcing | None = None
    derivation: tuple[Step, ...] = ()
    priors: tuple[Ref, ...] = ()
    extrapolated: bool = False
    why: Text


class LotEvidence(Plain):
    """One lot in the evidence: its unshrunken effect with error, the verdict, and what the certificate says."""

    lot: Ref
    supplier: Ref | None = None
    motors: int
    results: int
    estimate: Finite | None = None
    u: Finite | None = None
    shrunken: Finite | None = None
    verdict: Literal["conforms", "does_not_conform", "not_shown", "not_identifiable"]
    probability: Finite | None = None
    characteristic_value: Finite | None = None
    characteristic_u: Finite | None = None
    certificates: tuple[EventRef, ...] = ()
    synthetic: bool = False
    reason: Text | None = None


class Evidence(Plain):
    """Everything the conclusion was computed from; recomputable from the log up to `position`."""

    position: Annotated[int, Field(ge=0)]
    method: Text
    policy: Ref
    policy_version: int
    metric: CharacteristicKey | None = None
    unit: str | None = None
    motors: int = 0
    lots: int = 0
    results: int = 0
    benches: int = 0
    synthetic: bool = False
    lot_effects: tuple[LotEvidence, ...] = ()
    statistics: dict[str, Any] = {}
    notes: tuple[Text, ...] = ()
    events: tuple[EventRef, ...] = ()


class CaseEvent(Plain):
    case: Name


class CaseOpened(CaseEvent):
    """A case was opened for a requirement and a magnet item, or for a source change."""

    kind: Literal["result", "source_change", "manual"]
    requirement: Ref | None = None
    item: Ref | None = None
    suppliers: tuple[Ref, ...] = ()
    source_change: EventRef | None = None
    related: tuple[Name, ...] = ()
    title: Text


class Proposal(CaseEvent):
    """One round of a case: the revisions that belong together, with their evidence."""

    round: Annotated[int, Field(ge=1)]
    title: Text
    conclusion: Conclusion
    revisions: tuple[ProposedRevision, ...]
    effectivity: Effectivity
    evidence: Evidence
    related: tuple[Name, ...] = ()
    missing: tuple[Text, ...] = ()
    what_if: dict[str, Any] = {}
    safety: bool = False
    """The requirement behind it is one of safety: loosening a limit then takes more than one approval."""
    loosens_safety: bool = False


class RevisionProposed(Proposal):
    """Revisions are proposed, by the engine or by a person."""

    proposed_by: Name


class EvidenceRefreshed(Proposal):
    """New evidence moved a limit by more than the policy's step, or changed the conclusion; approvals go stale."""


class AmendedLimit(Plain):
    """A reviewer's limits for one characteristic of one specification."""

    spec: Ref
    characteristic: CharacteristicKey
    lower: Finite | None = None
    target: Finite | None = None
    upper: Finite | None = None
    unit: UnitCode


class HumanDecision(CaseEvent):
    by: Name
    reason: Text


class ProposalAmended(HumanDecision):
    """A reviewer changed limits; earlier approvals are stale and the amender does not approve."""

    limits: Annotated[tuple[AmendedLimit, ...], Field(min_length=1)]


class ProposalApproved(HumanDecision):
    """An approver agrees."""


class ProposalRejected(HumanDecision):
    """An approver refuses; the case stays quiet until the evidence differs by the policy's threshold."""


class ProposalDeferred(HumanDecision):
    """A reviewer wants to see it again later."""

    until: Moment | None = None


class ProposalWithdrawn(CaseEvent):
    """The engine takes the proposal back because the evidence faded."""

    reason: Text
    evidence: Evidence | None = None


class ProposalEnacted(CaseEvent):
    """The revisions were issued and the suppliers told, in this same append."""

    round: int
    specs: tuple[Ref, ...]
    notices: tuple[Name, ...]


class CaseReopened(CaseEvent):
    """The case is open again: a supplier cannot meet the limit, or the effect is absent."""

    reason: Text
    cause: EventRef | None = None


class CommentAdded(CaseEvent):
    """Somebody said something; changes nothing."""

    by: Name
    comment: Text
