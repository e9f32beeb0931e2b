"""Cases: the state of every case, evolved by the rules themselves, with its history."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, ClassVar

from events.catalogue import CATALOGUE
from events.envelope import Recorded
from events.rules.proposals import INITIAL, CaseState, evolve
from projections.folds.fold import Key, Projection, Row, Rows


class Case(Row, frozen=True):
    """A case as its events leave it (events.rules.proposals.CaseState; tuples are lists here).

    `version` is what a decision names, `stream_version` what an append expects. `proposal` is the last round, whole,
    amendments applied. `history`: [{what, by, reason, time, source, id, position}] in order, outside the digest.
    """

    case: str
    kind: str
    state: str
    version: int
    stream_version: int
    title: str
    requirement: str | None
    item: str | None
    suppliers: Any
    related: Any
    source_change: Any
    round: int
    proposal: Any
    shown_by: Any
    proposed_by: str | None
    amended_by: Any
    approvals: Any
    loosens_safety: bool
    deferred_until: str | None
    refreshed_at: str | None
    rejected_at: str | None
    reason: str | None
    conclusion: str | None
    missing: Any
    synthetic: bool
    opened_at: str
    changed_at: str
    history: Any
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("case",)
    __undigested__: ClassVar[tuple[str, ...]] = ("history", "position", "shown_by")
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("state", "changed_at"), ("requirement",), ("item",))


_STATE = tuple(field.name for field in fields(CaseState))
_LISTS = frozenset(name for name in _STATE if isinstance(getattr(INITIAL, name), tuple))


def state_of(row: Case | None) -> CaseState:
    """The rules' own state of this row; the initial one where there is no row."""
    if row is None:
        return INITIAL
    kept: dict[str, Any] = {name: getattr(row, name) for name in _STATE}
    kept.update({name: tuple(kept[name]) for name in _LISTS})
    return CaseState(**kept)


def _row(state: CaseState, before: Case | None, event: Recorded) -> Case:
    kept = {name: getattr(state, name) for name in _STATE}
    proposal: dict[str, Any] = dict(state.proposal or {})
    evidence = proposal.get("evidence") or {}
    values = {name: list(value) if name in _LISTS else value for name, value in kept.items()}
    return Case(
        **{**values, "case": event.data["case"], "proposal": proposal or None},
        conclusion=state.conclusion,
        missing=list(proposal.get("missing") or ()),
        synthetic=bool(evidence.get("synthetic")),
        opened_at=before.opened_at if before else event.time,
        changed_at=event.time,
        history=[*(before.history if before else ()), _told(event)],
        position=event.position,
    )


def _told(event: Recorded) -> dict[str, Any]:
    data = event.data
    return {
        "what": event.type.split(".")[2],
        "by": data.get("by") or data.get("proposed_by"),
        "reason": data.get("reason") or data.get("comment"),
        "time": event.time,
        "source": event.source,
        "id": event.id,
        "position": event.position,
    }


def _keys(event: Recorded) -> Iterable[Key]:
    return (Key(Case, (event.data["case"],)),)


def _fold(event: Recorded, rows: Rows) -> None:
    before = rows.get(Case, event.data["case"])
    rows.put(_row(evolve(state_of(before), event), before, event))


CASES = Projection(
    name="cases",
    version=1,
    row_types=(Case,),
    types=frozenset(name for name, line in CATALOGUE.items() if line.stream == "proposals"),
    keys=_keys,
    fold=_fold,
    order_free=False,
)
