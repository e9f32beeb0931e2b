"""Enactment: the last approval, the revised specifications and every notice are one append."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from events.errors import VersionConflict
from events.ids import conclusion_id
from events.refs import Ref, ref_text
from events.rules import specs
from events.rules.announcing import Occasion, notices
from events.rules.changes import bounds_in, loosens, same_limits
from events.rules.notices import NoticeIssued
from events.rules.policies import Policy
from events.rules.proposals import Approve, CaseState, ProposalEnacted, approvals_needed, decide
from events.rules.specs import Sourcing, Spec, SpecState, revised

TOLD = {
    "tighten": "Results of motor tests ask for tighter limits.",
    "loosen": "Results of motor tests allow wider limits.",
    "sourcing": "Results of motor tests ask for evidence on sources.",
    "evidence_required": "A source changed; evidence is required before it is used.",
    "manual": "An engineer's decision.",
}
"""What the parties are told as the reason: the approver's own words may name other parties' lots."""


@dataclass(frozen=True, slots=True)
class Enactment:
    """The events of one append, each with its id, and the version that every stream must still have.

    Feeds carry no expected version: they are numbered in the append. `enacted` is false when another approval is
    still needed; then the approval is the only event.
    """

    models: tuple[BaseModel, ...]
    ids: tuple[UUID, ...]
    expected: Mapping[str, int]
    enacted: bool

    @property
    def revisions(self) -> tuple[Spec, ...]:
        """The revised specifications among the events."""
        return tuple(model for model in self.models if isinstance(model, Spec))

    @property
    def notices(self) -> tuple[NoticeIssued, ...]:
        """The notices among the events."""
        return tuple(model for model in self.models if isinstance(model, NoticeIssued))


def specs_of(case: CaseState) -> tuple[str, ...]:
    """The specifications that the case's proposal revises (`issuer:id`): load these, and who they bind."""
    revisions = (case.proposal or {}).get("revisions") or ()
    return tuple(dict.fromkeys(ref_text(item["spec"]) for item in revisions))


def enact(
    case: CaseState,
    approval: Approve,
    current: Mapping[str, SpecState],
    policy: Policy,
    recipients: Mapping[str, Sequence[Ref]],
    today: date,
) -> Enactment:
    """What an approval brings about: with the last one needed, the revisions and the notices too.

    `current` and `recipients` hold, by specification (`issuer:id`), its state and the parties it may bind.
    Raises what `proposals.decide` raises, VersionConflict when a specification moved on since it was proposed,
    Invalid when the revised text would break a rule of specifications.
    """
    (approved,) = decide(case, approval, policy)
    cause = f"{case.case}/{case.version}"
    expected = {f"proposals/{case.case}": case.stream_version}
    identity = conclusion_id(cause, "approved", approval.by)
    if len(case.approvals) + 1 < _needed(case, current, policy):
        return Enactment((approved,), (identity,), expected, enacted=False)
    texts, told = _revise(case, approval, current, policy, recipients, today)
    done = ProposalEnacted(
        case=case.case,
        round=case.round,
        specs=tuple(text.spec for text in texts),
        notices=tuple(notice.notice for notice in told),
    )
    expected |= {f"specs/{text.spec}": text.revision - 1 for text in texts}
    ids = (
        identity,
        conclusion_id(cause, "enacted", str(case.round)),
        *(conclusion_id(cause, "revised", f"{text.spec}/{text.revision}") for text in texts),
        *(conclusion_id(cause, "noticed", notice.notice) for notice in told),
    )
    return Enactment((approved, done, *texts, *told), ids, expected, enacted=True)


def _needed(case: CaseState, current: Mapping[str, SpecState], policy: Policy) -> int:
    """Approvals needed: as the case says, and as for safety where a limit of class `critical` is loosened."""
    needed = approvals_needed(case, policy)
    for item in (case.proposal or {}).get("revisions") or ():
        text = current.get(ref_text(item["spec"]), specs.INITIAL).current or {}
        classes = {limit["characteristic"]: limit.get("special_class") for limit in text.get("limits") or ()}
        if classes.get(item["characteristic"]) == "critical" and loosens(item.get("old"), item.get("new")):
            needed = max(needed, policy.approvals_loosening_safety)
    return needed


def _revise(
    case: CaseState,
    approval: Approve,
    current: Mapping[str, SpecState],
    policy: Policy,
    recipients: Mapping[str, Sequence[Ref]],
    today: date,
) -> tuple[list[Spec], list[NoticeIssued]]:
    proposal = case.proposal or {}
    cause = f"{case.case}/{case.version}"
    synthetic = bool((proposal.get("evidence") or {}).get("synthetic"))
    reason = TOLD.get(proposal.get("conclusion", ""), TOLD["manual"])
    occasion = Occasion(cause, today, policy, case.case, approval.by, reason, synthetic)
    texts: list[Spec] = []
    told: list[NoticeIssued] = []
    for name in specs_of(case):
        state = current.get(name, specs.INITIAL)
        parts = [item for item in proposal["revisions"] if ref_text(item["spec"]) == name]
        text = revised(state, _text(case, approval, state, parts, today))
        texts.append(text)
        told += notices(text, state.current, recipients.get(name, ()), _about(occasion, parts))
    return texts, told


def _about(occasion: Occasion, parts: Sequence[Mapping[str, Any]]) -> Occasion:
    """The occasion with what the notices say of each characteristic."""
    return replace(occasion, acceptance={item["characteristic"]: _accepted(item) for item in parts})


def _accepted(revision: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The acceptance limits of a proposed revision, in the unit of its limits."""
    accepted, new = revision.get("acceptance"), revision.get("new")
    if accepted is None or new is None:
        return None
    lower, _, upper = bounds_in({**accepted, "target": None}, new["unit"])
    return {"lower": lower, "upper": upper, "rule": accepted["rule"]}


def _text(
    case: CaseState, approval: Approve, state: SpecState, parts: Sequence[Mapping[str, Any]], today: date
) -> dict[str, Any]:
    """The whole new text: the revision in force, with the proposed limits and sourcing in place."""
    proposal = case.proposal or {}
    before = state.current
    first = parts[0]
    text: dict[str, Any] = dict(before or {name: first[name] for name in ("spec", "level", "item", "suppliers")})
    _check_old(text, state, parts)
    text["limits"] = _limits(text.get("limits") or (), parts)
    text["sourcing"] = _merged(text.get("sourcing"), [item["sourcing"] for item in parts if item.get("sourcing")])
    effectivity = dict(proposal["effectivity"])
    effectivity["date"] = max(effectivity["date"], today.isoformat())
    synthetic = bool((proposal.get("evidence") or {}).get("synthetic"))
    return {
        **text,
        "effectivity": effectivity,
        "reason": approval.reason,
        "case": case.case,
        "round": case.round,
        "evidence": () if case.shown_by is None else (case.shown_by,),
        "origin": "synthetic" if synthetic else text.get("origin", "measured"),
        "by": approval.by,
    }


def _check_old(text: Mapping[str, Any], state: SpecState, parts: Sequence[Mapping[str, Any]]) -> None:
    """What the reviewer saw as the old limits are the limits in force. Raises VersionConflict."""
    now = {item["characteristic"]: item["limits"] for item in text.get("limits") or ()}
    for item in parts:
        key = item["characteristic"]
        if item.get("new") is not None and not same_limits(now.get(key), item.get("old")):
            name = ref_text(item["spec"])
            raise VersionConflict(
                f"The limits of {key} in {name} have changed since this was proposed; the proposal must be renewed.",
                stream=f"specs/{name}",
                actual=state.version,
            )


def _limits(limits: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    merged = {item["characteristic"]: dict(item) for item in limits}
    for item in parts:
        if item.get("new") is None:
            continue
        key = item["characteristic"]
        entry = merged.setdefault(key, {"characteristic": key})
        entry |= {"limits": item["new"], "statistic": item["statistic"]}
        if item.get("temperature") is not None:
            entry["temperature"] = item["temperature"]
        if item.get("acceptance") is not None:
            entry["decision_rule"] = item["acceptance"]["rule"]
    return list(merged.values())


def _merged(now: Mapping[str, Any] | None, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Sourcing with these changes: requirements add up, a source named later is permitted or excluded, not both."""
    if now is None and not changes:
        return None
    merged = Sourcing.model_validate(now or {})
    for change in (Sourcing.model_validate(item) for item in changes):
        permitted = [*merged.permitted_sources, *change.permitted_sources]
        excluded = [*merged.excluded_sources, *change.excluded_sources]
        merged = Sourcing(
            permitted_sources=tuple(dict.fromkeys(s for s in permitted if s not in change.excluded_sources)),
            excluded_sources=tuple(
                dict.fromkeys(s for s in excluded if s in change.excluded_sources or s not in change.permitted_sources)
            ),
            custody_model=change.custody_model or merged.custody_model,
            required_evidence=tuple(dict.fromkeys((*merged.required_evidence, *change.required_evidence))),
        )
    return merged.model_dump(mode="json")
