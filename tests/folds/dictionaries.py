"""Folds events into dictionaries, one after the other or many together, for comparing with the tables."""

from collections.abc import Iterable

from events.envelope import Recorded
from projections.folds.fold import Projection
from projections.folds.memory import DictRows


def fold_one(projection: Projection, event: Recorded, rows: DictRows) -> None:
    """Fold one event, checking that only loaded keys are read."""
    if event.type not in projection.types:
        return
    rows.declared = set()
    projection.fold_events((event,), rows)
    rows.declared = None
    rows.tell((event,))


def fold_together(projection: Projection, events: Iterable[Recorded], rows: DictRows | None = None) -> DictRows:
    """The rows after folding these events as one batch, from nothing or after `rows`."""
    rows = rows or DictRows(projection.row_types)
    mine = [event for event in events if event.type in projection.types]
    projection.fold_events(mine, rows)
    rows.tell(mine)
    return rows


def fold_all(projection: Projection, events: Iterable[Recorded], rows: DictRows | None = None) -> DictRows:
    """The rows after folding these events, from nothing or from `rows`."""
    rows = rows or DictRows(projection.row_types)
    for event in events:
        fold_one(projection, event, rows)
    return rows
