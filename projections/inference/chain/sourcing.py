"""Sourcing conclusions: bad lots that share a recorded change, and bad sources that no characteristic explains."""

from collections.abc import Mapping, Sequence

from events.rules.policies import Policy
from projections.inference.chain.properties import ancestors, counting_parents
from projections.inference.conclusions import Cause, Sourced, Step
from projections.inference.state import Change, Plant

BY_ORIGIN = frozenset({"source", "custody"})
"""Changes that a lot inherits only through its inputs; other kinds hold for all that the site makes from then on."""
FEWEST_TO_EXCLUDE = 2
"""One bad lot does not condemn a source; this many, with no good one from it, do."""


def affected(change: Change, lot: str, plant: Plant, parents: Mapping[str, tuple[tuple[str, float], ...]]) -> bool:
    """The lot was made under the change: it descends from its first lot, or from later work of the changed process."""
    behind = ancestors(lot, parents)
    if change.first_lot in behind:
        return True
    first = plant.lots.get(change.first_lot)
    if change.kind in BY_ORIGIN or first is None:
        return False
    return any(
        other.level == change.level and other.supplier == change.supplier and other.site == change.site
        and other.produced_at >= first.produced_at
        for name in behind
        if (other := plant.lots.get(name)) is not None
    )  # fmt: skip


def shared_changes(bad: Sequence[str], good: Sequence[str], plant: Plant) -> tuple[Change, ...]:
    """Recorded changes under which bad lots were made and which most of their judged lots went bad."""
    parents = counting_parents(plant.links)
    found = []
    for change in plant.changes:
        worse = [lot for lot in bad if affected(change, lot, plant, parents)]
        fine = [lot for lot in good if affected(change, lot, plant, parents)]
        if worse and len(worse) > len(fine):
            found.append(change)
    return tuple(sorted(found, key=lambda item: (item.time, item.event.source, item.event.id)))


def sourcing(
    bad: Sequence[str], good: Sequence[str], plant: Plant, cause: Cause | None, policy: Policy
) -> tuple[Sourced, ...]:
    """The sourcing revisions that belong in the case, one a supplier: nobody is told of another's sources."""
    changes = shared_changes(bad, good, plant)
    parents = counting_parents(plant.links)
    after = [
        _after_change(supplier, [c for c in changes if c.supplier == supplier], bad, plant, policy)
        for supplier in sorted({change.supplier for change in changes})
    ]
    left = cause.unexplained if cause else tuple(bad)
    if cause and cause.refusal and cause.refusal.code == "needs_a_person":
        return tuple(after)
    left = tuple(lot for lot in left if not any(affected(change, lot, plant, parents) for change in changes))
    suppliers = sorted({plant.lots[lot].supplier for lot in left if lot in plant.lots})
    return (*after, *(_without_characteristic(supplier, left, good, plant, cause) for supplier in suppliers))


def evidence_for(change: Change, policy: Policy) -> tuple[str, ...]:
    """What is required before the new source counts as permitted, in words that name it."""
    return tuple(f"{item}, for {change.kind} {change.after}" for item in policy.required_evidence_on_source_change)


def _after_change(
    supplier: str, changes: Sequence[Change], bad: Sequence[str], plant: Plant, policy: Policy
) -> Sourced:
    parents = counting_parents(plant.links)
    named = "; ".join(f"{change.level} {change.kind} from {change.before} to {change.after}" for change in changes)
    lots = [lot for lot in bad if any(affected(change, lot, plant, parents) for change in changes)]
    return Sourced(
        supplier,
        (),
        tuple(dict.fromkeys(item for change in changes for item in evidence_for(change, policy))),
        f"{', '.join(lots)} came after a recorded change ({named}); the new source needs evidence before it is used.",
        tuple(change.event for change in changes),
        tuple(
            Step(
                f"recorded change {change.change}",
                source=f"{change.before} → {change.after}, first lot {change.first_lot}, at {change.time}",
            )
            for change in changes
        ),
    )


def _without_characteristic(
    supplier: str, left: Sequence[str], good: Sequence[str], plant: Plant, cause: Cause | None
) -> Sourced:
    own = [lot for lot in left if lot in plant.lots and plant.lots[lot].supplier == supplier]
    fine = [lot for lot in good if lot in plant.lots and plant.lots[lot].supplier == supplier]
    would = cause.refusal.would_tell if cause and cause.refusal else ""
    required = tuple(f"Root-cause report (8D) for lot {lot}" for lot in own)
    excluded = (supplier,) if len(own) >= FEWEST_TO_EXCLUDE and not fine else ()
    return Sourced(
        supplier,
        excluded,
        (*required, would) if would else required,
        f"No certified characteristic explains {', '.join(own)}; until the cause is known, its supplier shows evidence "
        "with every lot.",
        (),
        tuple(Step(f"bad lot without explanation: {lot}", source="verdict of this case") for lot in own),
    )
