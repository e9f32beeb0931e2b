"""What becomes of a command on a case: its events, or a refusal that says why and what to do."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from events.errors import Fault, Forbidden, Invalid, NotFound, Refused, VersionConflict, VersionRequired
from events.faults import refusal
from events.rules.changes import SIDES, bounds_in, loosens
from events.rules.policies import Policy
from events.rules.proposals import models
from events.rules.proposals.commands import (
    Amend,
    Approve,
    Command,
    Comment,
    Content,
    Defer,
    OpenCase,
    Propose,
    Refresh,
    Reject,
    Reopen,
    Withdraw,
)
from events.rules.proposals.state import CaseState, revisions_of
from events.rules.proposals.worth import quiet, worth_refreshing

Decided = tuple[models.CaseEvent, ...]
CLOSED = frozenset({"rejected", "withdrawn", "enacted"})


def decide(state: CaseState, command: Command, policy: Policy) -> Decided:
    """The events that follow from a command on a case, given its state and the policy.

    Raises Refused (not as things stand), Forbidden (not this person), Invalid (the command's own content),
    VersionRequired and VersionConflict (a decision names the version it saw), NotFound.
    An approval yields ProposalApproved alone; `events.rules.enactment.enact` adds what the last one brings about.
    """
    if not isinstance(command, OpenCase) and state.state == "none":
        raise NotFound(f"There is no case '{command.case}'.")
    try:
        return _RULES[type(command)](state, command, policy)
    except ValidationError as error:
        raise refusal(error, "The command") from error


def approvals_needed(state: CaseState, policy: Policy) -> int:
    """How many approvals the open proposal takes: more where it loosens a limit of safety."""
    return max(policy.approvals, policy.approvals_loosening_safety) if state.loosens_safety else policy.approvals


def _open(state: CaseState, command: OpenCase, policy: Policy) -> Decided:
    if state.state != "none":
        raise Refused(f"The case '{command.case}' is open already.", state=state.state)
    return (
        models.CaseOpened(
            case=command.case,
            kind=command.kind,
            requirement=command.requirement,
            item=command.item,
            suppliers=command.suppliers,
            source_change=command.source_change,
            related=command.related,
            title=command.title,
        ),
    )


def _propose(state: CaseState, command: Propose, policy: Policy) -> Decided:
    if state.decidable:
        raise Refused(f"Round {state.round} of the case lies open; refresh it, or decide it first.", state=state.state)
    if quiet(state, command.content.evidence, policy, command.at):
        raise Refused(
            "The case was rejected and stays quiet until its evidence differs: other lots, or "
            f"{policy.rejected_evidence_step:.0%} more motors, lots or results than were rejected.",
            state=state.state,
        )
    return (models.RevisionProposed(proposed_by=command.by, **_content(state, command.content, state.round + 1)),)


def _refresh(state: CaseState, command: Refresh, policy: Policy) -> Decided:
    content = command.content
    if not state.decidable:
        raise Refused("No proposal of the case lies open; propose a new round instead.", state=state.state)
    if not worth_refreshing(state, content.revisions, content.conclusion, policy, command.at):
        raise Refused(
            "The open proposal stays as it is: no limit moved by more than "
            f"{policy.refresh_step_relative:.2%}, the conclusion stands, or it was refreshed less than "
            f"{policy.refresh_interval_h:g} h ago.",
            state=state.state,
        )
    return (models.EvidenceRefreshed(**_content(state, content, state.round)),)


def _content(state: CaseState, content: Content, number: int) -> dict[str, Any]:
    dumped = [revision.model_dump(mode="json") for revision in content.revisions]
    if len(revisions_of({"revisions": dumped})) < len(dumped):
        raise Invalid("A proposal names a characteristic of a specification twice; state its limits once.")
    return {
        "case": state.case,
        "round": number,
        "title": content.title,
        "conclusion": content.conclusion,
        "revisions": content.revisions,
        "effectivity": content.effectivity,
        "evidence": content.evidence,
        "related": content.related,
        "missing": content.missing,
        "what_if": dict(content.what_if),
        "safety": content.safety,
        "loosens_safety": content.safety and any(loosens(item["old"], item["new"]) for item in dumped),
    }


def _amend(state: CaseState, command: Amend, policy: Policy) -> Decided:
    _check(state, command)
    shown = revisions_of(state.proposal or {"revisions": ()})
    if not command.limits:
        raise Invalid("An amendment names the limits that it changes.", errors=[Fault("/limits", "name at least one")])
    names = [(str(limit.spec), limit.characteristic) for limit in command.limits]
    limits = []
    for index, (limit, name) in enumerate(zip(command.limits, names, strict=True)):
        pointer = f"/limits/{index}"
        if name not in shown or shown[name].get("new") is None:
            open_ones = ", ".join(f"{key} of {spec}" for (spec, key), item in shown.items() if item.get("new"))
            detail = f"{name[1]} of {name[0]} has no proposed limit; proposed are: {open_ones or 'none'}"
            raise Invalid(f"The amendment does not fit: {detail}.", errors=[Fault(pointer, detail)])
        if names.count(name) > 1:
            raise Invalid(f"{name[1]} of {name[0]} is amended twice; state it once.", errors=[Fault(pointer, "twice")])
        limits.append(_whole(limit, shown[name]["new"], pointer))
    return (models.ProposalAmended(case=state.case, by=command.by, reason=command.reason, limits=tuple(limits)),)


def _whole(limit: models.AmendedLimit, proposed: Any, pointer: str) -> models.AmendedLimit:
    """The amended limits with what they leave out as proposed, in the amendment's unit. Raises Invalid."""
    try:
        bounds = bounds_in(proposed, limit.unit)
    except Invalid as error:
        raise Invalid(error.detail, errors=[Fault(f"{pointer}/unit", error.detail)]) from error
    stated = (limit.lower, limit.target, limit.upper)
    merged = [was if new is None else new for new, was in zip(stated, bounds, strict=True)]
    given = [value for value in merged if value is not None]
    if given != sorted(given):
        shown = ", ".join(f"{side} {value:g}" for side, value in zip(SIDES, merged, strict=True) if value is not None)
        detail = f"lower ≤ target ≤ upper does not hold: {shown} {limit.unit}; amend the other one too"
        raise Invalid(f"{limit.characteristic}: {detail}.", errors=[Fault(pointer, detail)])
    return limit.model_copy(update=dict(zip(SIDES, merged, strict=True)))


def _approve(state: CaseState, command: Approve, policy: Policy) -> Decided:
    _check(state, command)
    _not_own(state, command.by)
    if any(_same_person(command.by, other) for other in state.approvals):
        raise Refused(f"{command.by} has approved this version already; another person's approval is needed.")
    if not (state.proposal and state.proposal["revisions"]):
        raise Refused(
            "The proposal names no revision, so there is nothing to enact; reject it with a reason, or defer it "
            "until the measurement that it asks for is there."
        )
    return (models.ProposalApproved(case=state.case, by=command.by, reason=command.reason),)


def _not_own(state: CaseState, by: str) -> None:
    if state.proposed_by and _same_person(by, state.proposed_by):
        raise Forbidden(f"{state.proposed_by} proposed this and cannot approve it; another approver must.")
    for name in state.amended_by:
        if _same_person(by, name):
            raise Forbidden(f"{name} amended this proposal and cannot approve it; another approver must.")


def _same_person(first: str, second: str) -> bool:
    return first.strip().casefold() == second.strip().casefold()


def _reject(state: CaseState, command: Reject, policy: Policy) -> Decided:
    _check(state, command)
    return (models.ProposalRejected(case=state.case, by=command.by, reason=command.reason),)


def _defer(state: CaseState, command: Defer, policy: Policy) -> Decided:
    _check(state, command)
    return (models.ProposalDeferred(case=state.case, by=command.by, reason=command.reason, until=command.until),)


def _check(state: CaseState, command: Amend | Approve | Reject | Defer) -> None:
    """A decision names the version it saw and a reason, and a proposal lies open."""
    if command.version is None:
        raise VersionRequired("Name the version of the proposal that you decide on.")
    if command.version != state.version:
        raise VersionConflict(
            f"The proposal is at version {state.version}, and you decided on version {command.version}; look again.",
            stream=f"proposals/{state.case}",
            expected=command.version,
            actual=state.version,
        )
    _reason(command.reason, "/reason")
    if not state.decidable:
        raise Refused(f"There is nothing to decide: the case is {state.state}.", state=state.state)


def _reason(text: str, pointer: str) -> None:
    if not text.strip():
        raise Invalid("A decision needs a reason, in words.", errors=[Fault(pointer, "required, and blank")])


def _withdraw(state: CaseState, command: Withdraw, policy: Policy) -> Decided:
    if not state.decidable:
        raise Refused("No proposal of the case lies open, so there is nothing to withdraw.", state=state.state)
    _reason(command.reason, "/reason")
    return (models.ProposalWithdrawn(case=state.case, reason=command.reason, evidence=command.evidence),)


def _reopen(state: CaseState, command: Reopen, policy: Policy) -> Decided:
    if state.state not in CLOSED:
        raise Refused(f"The case is {state.state}, not closed; there is nothing to reopen.", state=state.state)
    _reason(command.reason, "/reason")
    return (models.CaseReopened(case=state.case, reason=command.reason, cause=command.cause),)


def _comment(state: CaseState, command: Comment, policy: Policy) -> Decided:
    if not command.comment.strip():
        raise Invalid("A comment says something.", errors=[Fault("/comment", "required, and blank")])
    return (models.CommentAdded(case=state.case, by=command.by, comment=command.comment),)


_RULES: dict[type, Callable[[CaseState, Any, Policy], Decided]] = {
    OpenCase: _open,
    Propose: _propose,
    Refresh: _refresh,
    Amend: _amend,
    Approve: _approve,
    Reject: _reject,
    Defer: _defer,
    Withdraw: _withdraw,
    Reopen: _reopen,
    Comment: _comment,
}
