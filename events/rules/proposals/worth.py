"""Whether new evidence is worth a reviewer's attention: the quiet after a rejection, and refreshing an open page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from events.envelope import parse_time
from events.refs import ref_text
from events.rules.changes import moved, same_limits
from events.rules.policies import Policy
from events.rules.proposals.models import Evidence, ProposedRevision
from events.rules.proposals.state import CaseState, revisions_of

COUNTS = ("motors", "lots", "results")


def quiet(state: CaseState, evidence: Evidence, policy: Policy, now: datetime) -> bool:
    """Whether a rejected case stays quiet: its evidence does not differ by the policy's threshold, or it is too soon.

    Evidence differs when the lots that do not conform are others, or a count of motors, lots or results moved by
    more than `rejected_evidence_step` of what was rejected. A case that is not rejected is never quiet.
    """
    if state.state != "rejected" or state.proposal is None:
        return False
    if state.rejected_at and now < parse_time(state.rejected_at) + timedelta(hours=policy.quiet_period_h):
        return True
    return not _differs(state.proposal["evidence"], evidence.model_dump(mode="json"), policy.rejected_evidence_step)


def _differs(old: Mapping[str, Any], new: Mapping[str, Any], step: float) -> bool:
    if _bad(old) != _bad(new):
        return True
    return any(abs(new[name] - old[name]) > step * max(old[name], 1) for name in COUNTS)


def _bad(evidence: Mapping[str, Any]) -> set[str]:
    lots = evidence.get("lot_effects") or ()
    return {ref_text(item["lot"]) for item in lots if item["verdict"] == "does_not_conform"}


def worth_refreshing(
    state: CaseState, revisions: Sequence[ProposedRevision], conclusion: str, policy: Policy, now: datetime
) -> bool:
    """Whether the open proposal is worth changing under the reviewer's eyes.

    Only when the conclusion changes, or a limit moves by more than `refresh_step_relative`, and at most once
    `refresh_interval_h`. What a person amended, or deferred to a later date, changes only with the conclusion.
    A proposal that can no longer be enacted as shown, because what is in force changed, is renewed at once.
    """
    if not state.decidable or state.proposal is None:
        return False
    if _stale(state.proposal, revisions):
        return True
    if state.refreshed_at and now < parse_time(state.refreshed_at) + timedelta(hours=policy.refresh_interval_h):
        return False
    if conclusion != state.conclusion:
        return True
    if state.amended_by or _asleep(state, now):
        return False
    return _moved(state.proposal, revisions, policy.refresh_step_relative)


def _stale(proposal: Mapping[str, Any], revisions: Sequence[ProposedRevision]) -> bool:
    """The limits in force are others than shown as old, or a sourcing rule is in force already."""
    shown = revisions_of(proposal)
    found = revisions_of({"revisions": [item.model_dump(mode="json") for item in revisions]})
    return any(
        not same_limits(item.get("old"), found[key].get("old")) if key in found else item.get("sourcing") is not None
        for key, item in shown.items()
    )


def _asleep(state: CaseState, now: datetime) -> bool:
    return state.state == "deferred" and bool(state.deferred_until) and now < parse_time(state.deferred_until)


def _moved(proposal: Mapping[str, Any], revisions: Sequence[ProposedRevision], step: float) -> bool:
    shown = revisions_of(proposal)
    found = revisions_of({"revisions": [item.model_dump(mode="json") for item in revisions]})
    if shown.keys() != found.keys():
        return True
    return any(
        moved(shown[key].get("new"), found[key].get("new"), step)
        or not same_limits(shown[key].get("old"), found[key].get("old"))
        or shown[key].get("sourcing") != found[key].get("sourcing")
        for key in shown
    )
