"""assess(state, policy) → commands: what the engine should ask of each case; it does nothing itself."""

from dataclasses import replace

from events.facts.base import EventRef
from events.ids import case_id, source_change_case_id
from events.refs import parse_ref
from events.rules.policies import Policy
from events.rules.proposals import (
    INITIAL,
    CaseState,
    Command,
    Content,
    Evidence,
    OpenCase,
    Propose,
    Refresh,
    Withdraw,
    quiet,
    worth_refreshing,
)
from projections.inference.chain.sourcing import evidence_for
from projections.inference.conclude import conclude
from projections.inference.conclusions import Conclusions, Sourced, Step
from projections.inference.state import ChangeState, RequirementState
from projections.inference.told.content import Nothing, content, effectivity
from projections.inference.told.evidence import evidence
from projections.inference.told.revisions import Book, sourcing_revision

ENGINE = "lodestone"
"""Who proposes when the engine does."""


def result_case(state: RequirementState) -> str:
    """The id of the case of this requirement, its magnet item, and all suppliers."""
    item = state.motor_type.magnet_item
    return case_id(parse_ref(state.requirement), parse_ref(item) if item else None)


def assess(state: RequirementState, policy: Policy, found: Conclusions | None = None) -> tuple[Command, ...]:
    """The commands on the requirement's case; none where nothing is to be done.

    The same conclusion asks for nothing. A rejected case stays quiet, and so does an enacted one: what a person
    decided stands until the evidence differs by the policy's threshold.
    """
    found = conclude(state, policy) if found is None else found
    case = result_case(state)
    known = state.cases.get(case, INITIAL)
    told = content(state, found, policy)
    if isinstance(told, Nothing):
        if not known.decidable:
            return ()
        return (Withdraw(case, f"The evidence no longer holds: {told.reason}", evidence(state, found, policy)),)
    return _ask(known, _opening(state, case, told), told, policy, state)


def assess_change(state: ChangeState, policy: Policy) -> tuple[Command, ...]:
    """The commands on the case that a recorded source change opens before any result: evidence is required at once."""
    event = EventRef(source=state.change.event.source, id=state.change.event.id)
    case = source_change_case_id(event)
    known = state.cases.get(case, INITIAL)
    revisions = tuple(
        revision
        for item in state.items
        if (revision := sourcing_revision(Book(item, state.plant.specs), _required(state, policy))) is not None
    )
    if not revisions:
        return (Withdraw(case, "The evidence is required already."),) if known.decidable else ()
    told = Content(
        title=f"Evidence for {state.change.kind} {state.change.after} of {parse_ref(state.change.supplier).id}, "
        "required before any result",
        conclusion="evidence_required",
        revisions=revisions,
        effectivity=effectivity(state.now, policy),
        evidence=_change_evidence(state, policy, event),
        missing=_not_recorded(state, policy),
    )
    item = parse_ref(state.items[0]) if state.items else None
    opening = OpenCase(
        case, "source_change", told.title, item=item, suppliers=(parse_ref(state.change.supplier),), source_change=event
    )
    return _ask(known, opening, told, policy, state)


def _opening(state: RequirementState, case: str, told: Content) -> OpenCase:
    item = state.motor_type.magnet_item
    return OpenCase(
        case, "result", told.title, requirement=parse_ref(state.requirement), item=parse_ref(item) if item else None,
        related=told.related,
    )  # fmt: skip


def _ask(
    known: CaseState, opening: OpenCase, told: Content, policy: Policy, state: RequirementState | ChangeState
) -> tuple[Command, ...]:
    now = state.now
    if known.decidable:
        if not worth_refreshing(known, told.revisions, told.conclusion, policy, now):
            return ()
        return (Refresh(opening.case, told, now),)
    propose = Propose(opening.case, told, ENGINE, now)
    if known.state == "none":
        return (opening, propose)
    if known.state in ("rejected", "enacted") and quiet(_as_decided(known), told.evidence, policy, now):
        return ()
    return (propose,)


def _as_decided(known: CaseState) -> CaseState:
    """An enacted round is left alone by the same rule as a rejected one."""
    return known if known.state == "rejected" else replace(known, state="rejected", rejected_at=None)


def _required(state: ChangeState, policy: Policy) -> Sourced:
    change = state.change
    return Sourced(
        change.supplier,
        (),
        evidence_for(change, policy),
        f"{change.level} {change.kind} changed from {change.before} to {change.after} with lot {change.first_lot}; "
        "evidence is required before any result.",
        (change.event,),
        (Step(f"recorded change {change.change}", source=f"{change.before} → {change.after}, at {change.time}"),),
    )


def _change_evidence(state: ChangeState, policy: Policy, event: EventRef) -> Evidence:
    return Evidence(
        position=state.position,
        method=policy.method,
        policy=policy.policy,
        policy_version=state.policy_version,
        synthetic=state.change.origin == "synthetic",
        statistics={
            "required": list(policy.required_evidence_on_source_change),
            "recorded": list(state.change.evidence),
        },
        notes=("No result is needed: a recorded change requires evidence at once.",),
        events=(event,),
    )


def _not_recorded(state: ChangeState, policy: Policy) -> tuple[str, ...]:
    recorded = " ".join(state.change.evidence).casefold()
    return tuple(
        f"Not recorded yet: {item}."
        for item in policy.required_evidence_on_source_change
        if item.partition(":")[0].casefold() not in recorded
    )
