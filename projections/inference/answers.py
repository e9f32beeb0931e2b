"""What a supplier's answer to a notice asks of the case: `cannot_meet` and a counter-proposal reopen it."""

from collections.abc import Mapping, Sequence
from typing import Any

from events.facts.base import EventRef
from events.refs import parse_ref, ref_text
from events.rules.changes import bounds_in
from events.rules.proposals import CaseState, Reopen
from events.vocabulary import characteristics
from projections.inference.conclusions import Property
from projections.inference.state import Lot
from projections.inference.what_if import Bound, what_if

REOPENS = frozenset({"cannot_meet", "counter_proposal"})


def reopen(
    answer: Mapping[str, Any],
    notice: Mapping[str, Any],
    cause: EventRef,
    case: CaseState,
    lots: Sequence[Lot],
    known: Mapping[str, Mapping[str, Property]],
) -> Reopen | None:
    """The command that an answer leads to, or None. `answer` and `notice` are the stored data of their events.

    The reason names the supply that remains: how many recorded lots of the other suppliers meet the limits.
    """
    if answer["answer"] not in REOPENS or case.state != "enacted":
        return None
    party = ref_text(answer["party"])
    words = str(answer.get("reason") or "no reason given").rstrip(".")
    said = "cannot meet" if answer["answer"] == "cannot_meet" else "answers with a counter-proposal to"
    what = (
        ", ".join(change["characteristic"] for change in notice.get("changes") or ()) or f"the {notice['level']} rules"
    )
    left = _remaining(notice, party, lots, known)
    reason = f"{parse_ref(party).id} {said} {what} ({words}; answered by {answer['person']}). {left}"
    return Reopen(case.case, reason[:2000], cause)


def _bound(change: Mapping[str, Any]) -> Bound:
    key, limits = change["characteristic"], change["new"]
    lower, _, upper = bounds_in(limits, characteristics.find(key).unit)
    return Bound(key, lower, upper)


def _remaining(
    notice: Mapping[str, Any], party: str, lots: Sequence[Lot], known: Mapping[str, Mapping[str, Property]]
) -> str:
    bounds = [_bound(change) for change in notice.get("changes") or () if change.get("new")]
    others = [lot for lot in lots if lot.supplier != party]
    if not bounds or not others:
        return "No other supplier's lots are recorded."
    tried = what_if(bounds, [lot.lot for lot in others], (), known, {})
    stopped = tried["stopped"]
    left = len(others) - (len(stopped) if isinstance(stopped, list) else 0)
    suppliers = len({lot.supplier for lot in others})
    return f"Remaining supply: {left} of {len(others)} recorded lots of {suppliers} other suppliers meet it."
