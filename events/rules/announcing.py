"""Announcing: every party that a revision binds is told, thinly, what changed for it and nothing of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from events.ids import conclusion_id
from events.refs import Ref
from events.rules.changes import direction, same_limits
from events.rules.notices import Change, NoticeIssued
from events.rules.policies import Policy
from events.rules.specs import Sourcing, Spec
from events.vocabulary.quantities import Range


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a revision is announced, and when: `cause` makes the notices' ids, `case` is the case behind it.

    `acceptance` holds the stored acceptance limits by characteristic. `reason` is what the parties are told; without
    one, the specification's own.
    """

    cause: str
    today: date
    policy: Policy
    case: str | None = None
    contact: str | None = None
    reason: str | None = None
    synthetic: bool = False
    acceptance: Mapping[str, Mapping[str, Any] | None] | None = None


def notices(
    spec: Spec, previous: Mapping[str, Any] | None, recipients: Sequence[Ref], occasion: Occasion
) -> tuple[NoticeIssued, ...]:
    """One notice for each recipient that the revision binds: whatever binds a party, it is told.

    `previous` is the revision before as stored, None for the first.
    """
    bound = [party for party in dict.fromkeys(recipients) if not spec.suppliers or party in spec.suppliers]
    found = (_notice(spec, previous, party, occasion) for party in bound)
    return tuple(notice for notice in found if notice is not None)


def _notice(spec: Spec, previous: Mapping[str, Any] | None, party: Ref, occasion: Occasion) -> NoticeIssued | None:
    changes = tuple(_changes(spec, previous, occasion))
    sourcing = _sourcing(spec, previous, party)
    if not changes and sourcing is None and previous is not None and not _terms_changed(spec, previous):
        return None
    return NoticeIssued(
        notice=str(conclusion_id(occasion.cause, "notice", f"{spec.spec}/{spec.revision}/{party}")),
        party=party,
        spec=spec.spec,
        revision=spec.revision,
        previous_revision=None if previous is None else previous["revision"],
        level=spec.level,
        item=spec.item,
        changes=changes,
        sourcing=sourcing,
        reason=occasion.reason or spec.reason,
        effectivity=spec.effectivity,
        run_out=spec.run_out,
        respond_by=respond_by(occasion.today, spec.effectivity.date, occasion.policy),
        case=occasion.case,
        contact=occasion.contact,
        synthetic=occasion.synthetic or spec.origin == "synthetic",
    )


def respond_by(today: date, effective: date, policy: Policy) -> date:
    """The last day for an answer: the policy's days from today, or the day on which the revision binds if sooner."""
    due = today + timedelta(days=policy.respond_within_days)
    return min(due, effective) if effective > today else due


def _changes(spec: Spec, previous: Mapping[str, Any] | None, occasion: Occasion) -> list[Change]:
    """The characteristics whose limits or terms differ from the revision before; removed ones without new limits."""
    before = {item["characteristic"]: item for item in (previous or {}).get("limits") or ()}
    after = {limit.characteristic: limit.model_dump(mode="json") for limit in spec.limits}
    changed = [
        _change(key, before.get(key), item, occasion) for key, item in after.items() if _differs(before.get(key), item)
    ]
    gone = [_change(key, item, None, occasion) for key, item in before.items() if key not in after]
    return [*changed, *gone]


def _differs(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    if old is None or not same_limits(old["limits"], new["limits"]):
        return True
    return any(old.get(name) != new[name] for name in new if name not in ("limits", "characteristic"))


def _change(key: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, occasion: Occasion) -> Change:
    shown = new or old or {}
    limits = (old and old["limits"], new and new["limits"])
    accepted = (occasion.acceptance or {}).get(key) or {}
    return Change(
        characteristic=key,
        old=None if old is None else Range.model_validate(old["limits"]),
        new=None if new is None else Range.model_validate(new["limits"]),
        acceptance_lower=accepted.get("lower"),
        acceptance_upper=accepted.get("upper"),
        decision_rule=accepted.get("rule") or shown["decision_rule"],
        statistic=shown["statistic"],
        temperature=shown.get("temperature"),
        direction="changed" if same_limits(*limits) else direction(*limits),
    )


def _sourcing(spec: Spec, previous: Mapping[str, Any] | None, party: Ref) -> Sourcing | None:
    """What changed in sourcing for this party. Others' permitted sources are told to nobody.

    Permitted sources are named only where the specification binds this party alone.
    """
    now = spec.sourcing
    before = (previous or {}).get("sourcing")
    if now is None or (before is not None and Sourcing.model_validate(before) == now):
        return None
    return now if spec.suppliers == (party,) else now.model_copy(update={"permitted_sources": ()})


def _terms_changed(spec: Spec, previous: Mapping[str, Any]) -> bool:
    """Whether run-out or the parties bound changed, though no limit did."""
    now = spec.model_dump(mode="json")
    return any(now[name] != previous.get(name) for name in ("run_out", "suppliers"))
