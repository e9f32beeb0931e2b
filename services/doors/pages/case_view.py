"""A case as a reviewer sees it: what changes, on which evidence, what would happen, and what was said before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from events.envelope import Recorded
from events.refs import ref_text
from events.rules.changes import direction
from events.rules.proposals import CaseState
from events.vocabulary import characteristics
from services.doors.drawings import Bounds, Mark, lot_plot, number, number_line
from services.doors.pages.filters import name, path, unit

TONES = {"does_not_conform": "bad", "conforms": "good"}
STATES = {"enacted": "good", "rejected": "", "withdrawn": "", "proposed": "info", "approved": "info"}
TURNS = {
    "open": "The engine watches it; nothing is proposed yet.",
    "proposed": "It is an approver's turn.",
    "approved": "One more approver is needed.",
    "deferred": "It was put off.",
    "rejected": "It stays quiet until the evidence differs enough.",
    "withdrawn": "The engine took it back.",
    "enacted": "The specifications were revised and the suppliers told.",
}
CHANGES = {"tightened": "bad", "loosened": "warn", "added": "info", "changed": "info"}
SIGNS = {"tightened": "▲ tightened", "loosened": "▽ loosened", "added": "+ added", "changed": "changed"}
CONCLUSIONS = {
    "tighten": "limits tighten",
    "loosen": "limits loosen",
    "sourcing": "sourcing rule",
    "evidence_required": "evidence required",
    "no_characteristic": "no characteristic can be named",
    "manual": "proposed by a person",
}
WORDS = {
    "case_opened": "Case opened",
    "revision_proposed": "Proposed",
    "evidence_refreshed": "Evidence refreshed",
    "proposal_amended": "Amended",
    "proposal_approved": "Approved",
    "proposal_rejected": "Rejected",
    "proposal_deferred": "Deferred",
    "proposal_withdrawn": "Withdrawn",
    "proposal_enacted": "Enacted and announced",
    "case_reopened": "Reopened",
    "comment_added": "Comment",
}


def conclusion_words(conclusion: str | None) -> str:
    """What a round concludes, in words."""
    return CONCLUSIONS.get(conclusion or "", "nothing yet")


def case_view(
    state: CaseState,
    events: Sequence[Recorded],
    points: Mapping[str, Sequence[float]],
    requirement: Mapping[str, Any] | None,
    told: Sequence[str],
) -> dict[str, Any]:
    """Everything that the template shows, besides who may do what.

    `points` are the single results by lot, in the metric's canonical unit; `told` the names of who will hear.
    """
    round_: Mapping[str, Any] = state.proposal or {}
    evidence = round_.get("evidence") or {}
    lots = [_lot(item) for item in evidence.get("lot_effects") or ()]
    return {
        "id": state.case,
        "title": round_.get("title") or state.title,
        "state": state.state,
        "tone": STATES.get(state.state, ""),
        "turn": TURNS.get(state.state, ""),
        "round": state.round,
        "version": state.version,
        "proposed_by": state.proposed_by,
        "amended_by": ", ".join(state.amended_by),
        "since": events[-1].time,
        "synthetic": bool(evidence.get("synthetic")),
        "notes": list(evidence.get("notes") or ()),
        "missing": list(round_.get("missing") or ()),
        "conclusion_text": conclusion_words(state.conclusion),
        "evidence": {"motors": 0, "lots": 0, "results": 0, "benches": 0, **evidence} if evidence else _NO_EVIDENCE,
        "bad": [lot for lot in lots if lot["verdict"] == "does_not_conform"],
        "lots": lots,
        "revisions": _revisions(round_, lots, state),
        "plot": _plot(lots, points, requirement, evidence),
        "plot_caption": _caption(requirement, evidence),
        "characteristic_name": _certified(round_),
        "verdict_probability": (evidence.get("statistics") or {}).get("verdict", {}).get("probability", "—"),
        "statistics": list(_flat(evidence.get("statistics") or {})),
        "what_if": _what_if(round_.get("what_if") or {}),
        "effectivity": _effectivity(round_),
        "told": list(told),
        "history": [_step(event) for event in events],
        "reason": state.reason,
    }


_NO_EVIDENCE = {
    "motors": 0, "lots": 0, "results": 0, "benches": 0, "position": 0, "method": "—",
    "policy": "—", "policy_version": 0,
}  # fmt: skip


def _lot(item: Mapping[str, Any]) -> dict[str, Any]:
    supplier = item.get("supplier")
    return {**item, "lot": ref_text(item["lot"]), "supplier": ref_text(supplier) if supplier else None}


def _revisions(round_: Mapping[str, Any], lots: Sequence[Mapping[str, Any]], state: CaseState) -> list[dict[str, Any]]:
    """The revisions; the lots' certified values belong to the first one of the magnet level, the cause."""
    items = round_.get("revisions") or ()
    cause = next((item for item in items if item["level"] == "magnet"), None)
    return [_revision(item, lots if item is cause else (), state) for item in items]


def _revision(item: Mapping[str, Any], lots: Sequence[Mapping[str, Any]], state: CaseState) -> dict[str, Any]:
    known = characteristics.find(item["characteristic"])
    change = direction(item.get("old"), item.get("new")) if item.get("new") else "added"
    temperature = item.get("temperature")
    spec = ref_text(item["spec"])
    return {
        **item,
        "spec": spec,
        "name": known.name,
        "change": SIGNS[change] if item.get("new") else "sourcing rule",
        "tone": CHANGES[change],
        "statistic": str(item["statistic"]).replace("_", " "),
        "temperature": f"{number(temperature['value'], 4)} {unit(temperature['unit'])}" if temperature else None,
        "drawing": _drawing(item, lots),
        "lots_shown": bool(lots),
        "why_link": f"/why/{path(spec)}/{item['characteristic']}" if state.state == "enacted" else None,
    }


def _drawing(item: Mapping[str, Any], lots: Sequence[Mapping[str, Any]]) -> str:
    new, old = item.get("new"), item.get("old")
    if not new:
        return ""
    marks = [
        Mark(name(lot["lot"]), lot["characteristic_value"], lot.get("characteristic_u"), _tone(lot))
        for lot in lots
        if lot.get("characteristic_value") is not None
    ]
    before = Bounds(old["lower"], old["upper"]) if old and old["unit"] == new["unit"] else None
    return number_line(before, Bounds(new["lower"], new["upper"]), marks, unit(new["unit"]))


def _tone(lot: Mapping[str, Any]) -> str:
    return TONES.get(lot["verdict"], "unknown")


def _plot(
    lots: Sequence[Mapping[str, Any]],
    points: Mapping[str, Sequence[float]],
    requirement: Mapping[str, Any] | None,
    evidence: Mapping[str, Any],
) -> str:
    rows = [
        (
            Mark(name(lot["lot"]).split(" (")[0], lot["estimate"], lot.get("u"), _tone(lot)),
            points.get(lot["lot"], ()),
        )
        for lot in lots
        if lot.get("estimate") is not None
    ]
    limits = (requirement or {}).get("limits")
    bounds = Bounds(limits.get("lower"), limits.get("upper")) if limits and not _share(evidence) else None
    words = f"Results by magnet lot, {len(rows)} lots."
    return lot_plot(rows, bounds, unit(evidence.get("unit") or "1"), words)


def _share(evidence: Mapping[str, Any]) -> bool:
    """Lives are shown as estimates of their own kind, not in the requirement's unit."""
    return evidence.get("metric") == "motor.life" and evidence.get("unit") != "h"


def _caption(requirement: Mapping[str, Any] | None, evidence: Mapping[str, Any]) -> str:
    metric = evidence.get("metric")
    if not metric:
        return ""
    known = characteristics.find(metric).name
    limit = ", the line is the requirement" if requirement and not _share(evidence) else ""
    return (
        f"{known} by magnet lot: dots are single motors of one lot, as measured; the mark is the lot's unshrunken "
        f"estimate with ±2 standard errors (✕ does not conform, ● conforms, ○ not shown){limit}."
    )


def _certified(round_: Mapping[str, Any]) -> str | None:
    for item in round_.get("revisions") or ():
        if item["level"] == "magnet":
            known = characteristics.find(item["characteristic"])
            return f"Certified {known.name.lower()}, {unit(known.unit)}"
    return None


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, part in value.items():
        label = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(part, Mapping):
            yield from _flat(part, f"{label}: ")
        elif isinstance(part, list):
            yield label, "; ".join(_entry(item) for item in part) or "—"
        else:
            yield label, _entry(part)


def _entry(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_entry(part)}" for key, part in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "—"}[value]
    return number(float(value)) if isinstance(value, int | float) else str(value)


def _what_if(found: Mapping[str, Any]) -> dict[str, Any]:
    by_supplier = found.get("by_supplier") or {}
    rows = [{"supplier": key, "lost": row.get("good_lost", 0), **row} for key, row in sorted(by_supplier.items())]
    return {
        "stopped": len(found.get("stopped") or ()),
        "caught": len(found.get("caught") or ()),
        "lost": len(found.get("good_lost") or ()),
        "by_supplier": [row for row in rows if row["supplier"] != "unknown"],
    }


def _effectivity(round_: Mapping[str, Any]) -> str:
    effectivity = round_.get("effectivity")
    return f"Effective for lots made from {effectivity['date']}." if effectivity else ""


def _step(event: Recorded) -> dict[str, Any]:
    kind = event.type.split(".")[2]
    data = event.data
    reason = data.get("reason") or data.get("comment") or (data.get("title") if "proposed" in kind else None)
    return {
        "what": WORDS.get(kind, kind),
        "by": data.get("by") or data.get("proposed_by"),
        "reason": reason,
        "time": event.recorded_time,
    }
