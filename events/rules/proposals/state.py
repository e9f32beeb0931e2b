"""The state of a case, built from its events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from events.envelope import Recorded
from events.refs import ref_text
from events.rules.changes import bounds_in, loosens, same_limits

Standing = Literal["none", "open", "proposed", "deferred", "approved", "rejected", "withdrawn", "enacted"]
DECIDABLE: frozenset[Standing] = frozenset({"proposed", "deferred", "approved"})
"""A proposal lies open and may be decided; `approved` has an approval and waits for another."""


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case as its events leave it; references as `issuer:id`, times as RFC 3339 text.

    `version` counts content changes and decisions, not comments: a decision names it. `stream_version` counts every
    event and is what an append expects. `proposal` is the open or last round as stored, amendments applied, and
    `shown_by` the {source, id} of the event that brought it.
    """

    case: str = ""
    kind: str = ""
    state: Standing = "none"
    version: int = 0
    stream_version: int = 0
    title: str = ""
    requirement: str | None = None
    item: str | None = None
    suppliers: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    source_change: Mapping[str, Any] | None = None
    round: int = 0
    proposal: Mapping[str, Any] | None = None
    shown_by: Mapping[str, str] | None = None
    proposed_by: str | None = None
    amended_by: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    loosens_safety: bool = False
    deferred_until: str | None = None
    refreshed_at: str | None = None
    rejected_at: str | None = None
    reason: str | None = None

    @property
    def decidable(self) -> bool:
        """A proposal lies open for a decision."""
        return self.state in DECIDABLE

    @property
    def conclusion(self) -> str | None:
        """What the open or last round concludes."""
        return None if self.proposal is None else str(self.proposal["conclusion"])


INITIAL = CaseState()


def evolve(state: CaseState, recorded: Recorded) -> CaseState:
    """The state after one more event of the case's stream; events of other streams leave it as it is."""
    step = _STEPS.get(_name(recorded.type))
    if step is None:
        return state
    number = state.stream_version + 1 if recorded.stream_version is None else recorded.stream_version
    name = _name(recorded.type)
    counted = state if name == "comment_added" else replace(state, version=state.version + 1)
    if name in ("revision_proposed", "evidence_refreshed"):
        counted = replace(counted, shown_by={"source": recorded.source, "id": recorded.id})
    return replace(step(counted, recorded.data, recorded.time), stream_version=number)


def fold(events: Iterable[Recorded]) -> CaseState:
    """The state that these events of one case build, in order."""
    state = INITIAL
    for recorded in events:
        state = evolve(state, recorded)
    return state


def _name(event_type: str) -> str:
    """`revision_proposed` of `lodestone.proposals.revision_proposed.v1`; empty for other streams."""
    parts = event_type.split(".")
    return parts[2] if len(parts) == 4 and parts[1] == "proposals" else ""


def _opened(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(
        state,
        case=data["case"],
        kind=data["kind"],
        state="open",
        title=data["title"],
        requirement=_ref(data.get("requirement")),
        item=_ref(data.get("item")),
        suppliers=tuple(ref_text(supplier) for supplier in data.get("suppliers") or ()),
        related=tuple(data.get("related") or ()),
        source_change=data.get("source_change"),
    )


def _ref(value: dict[str, Any] | None) -> str | None:
    return None if value is None else ref_text(value)


def _proposed(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(
        _shown(state, data, time),
        state="proposed",
        round=data["round"],
        proposed_by=data["proposed_by"],
        amended_by=(),
        approvals=(),
        deferred_until=None,
        reason=None,
    )


def _refreshed(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    shown = _shown(state, data, time)
    if state.proposal is not None and _binding_same(state.proposal, data):
        return shown
    back: Standing = "proposed" if state.state == "approved" or data["conclusion"] != state.conclusion else state.state
    return replace(shown, approvals=(), state=back)


def _shown(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    related = tuple(dict.fromkeys((*state.related, *(data.get("related") or ()))))
    return replace(
        state,
        title=data["title"],
        proposal=dict(data),
        related=related,
        loosens_safety=bool(data.get("loosens_safety")),
        refreshed_at=time,
    )


def _binding_same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether limits, sourcing, effectivity and conclusion stand: only these make approvals stale."""
    if old["conclusion"] != new["conclusion"] or old["effectivity"] != new["effectivity"]:
        return False
    first, second = revisions_of(old), revisions_of(new)
    return first.keys() == second.keys() and all(
        same_limits(first[key].get("old"), second[key].get("old"))
        and same_limits(first[key].get("new"), second[key].get("new"))
        and first[key].get("sourcing") == second[key].get("sourcing")
        and first[key].get("statistic") == second[key].get("statistic")
        for key in first
    )


def revisions_of(proposal: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The stored revisions of a proposal by (specification, characteristic)."""
    return {(ref_text(item["spec"]), item["characteristic"]): item for item in proposal["revisions"]}


def _amended(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    limits = {(ref_text(item["spec"]), item["characteristic"]): item for item in data["limits"]}
    proposal = dict(state.proposal or {"revisions": (), "conclusion": "manual"})
    proposal["revisions"] = [
        _amend(item, limits.get((ref_text(item["spec"]), item["characteristic"]))) for item in proposal["revisions"]
    ]
    loosened = any(loosens(item.get("old"), item.get("new")) for item in proposal["revisions"])
    return replace(
        state,
        state="proposed",
        proposal=proposal,
        amended_by=tuple(dict.fromkeys((*state.amended_by, data["by"]))),
        approvals=(),
        deferred_until=None,
        loosens_safety=bool(proposal.get("safety")) and loosened,
        reason=data["reason"],
    )


def _amend(revision: Mapping[str, Any], limit: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The revision with these limits; its acceptance limits keep their guard band."""
    if limit is None:
        return revision
    new = {side: limit.get(side) for side in ("lower", "target", "upper", "unit")}
    return {**revision, "new": new, "acceptance": _shifted(revision.get("acceptance"), revision.get("new"), new)}


def _shifted(
    acceptance: Mapping[str, Any] | None, before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    if acceptance is None:
        return None
    unit = acceptance["unit"]
    lower, _, upper = bounds_in(after, unit)
    was = bounds_in(before, unit) if before else (None, None, None)
    bands = [
        abs(limit - bound)
        for limit, bound in ((acceptance.get("lower"), was[0]), (acceptance.get("upper"), was[2]))
        if limit is not None and bound is not None
    ]
    band = max(bands, default=0.0)
    return {
        **acceptance,
        "lower": None if lower is None else lower + band,
        "upper": None if upper is None else upper - band,
    }


def _approved(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    approvals = tuple(dict.fromkeys((*state.approvals, data["by"])))
    return replace(state, state="approved", approvals=approvals, deferred_until=None, reason=data["reason"])


def _rejected(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(state, state="rejected", approvals=(), rejected_at=time, reason=data["reason"], deferred_until=None)


def _deferred(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(state, state="deferred", deferred_until=data.get("until"), reason=data["reason"])


def _withdrawn(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(state, state="withdrawn", approvals=(), deferred_until=None, reason=data["reason"])


def _enacted(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(state, state="enacted", deferred_until=None)


def _reopened(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return replace(state, state="open", approvals=(), deferred_until=None, reason=data["reason"])


def _commented(state: CaseState, data: Mapping[str, Any], time: str) -> CaseState:
    return state


_STEPS: Mapping[str, Callable[[CaseState, Mapping[str, Any], str], CaseState]] = {
    "case_opened": _opened,
    "revision_proposed": _proposed,
    "evidence_refreshed": _refreshed,
    "proposal_amended": _amended,
    "proposal_approved": _approved,
    "proposal_rejected": _rejected,
    "proposal_deferred": _deferred,
    "proposal_withdrawn": _withdrawn,
    "proposal_enacted": _enacted,
    "case_reopened": _reopened,
    "comment_added": _commented,
}
