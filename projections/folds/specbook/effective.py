"""Which revision of a specification binds: by date, by lot, by serial, for a supplier."""

from collections.abc import Iterable
from datetime import date

from events.rules import specs
from projections.folds.specbook.rows import SpecRevision


def effective(
    revisions: Iterable[SpecRevision],
    on: date,
    *,
    supplier: str | None = None,
    lot: str | None = None,
    serial: str | None = None,
) -> SpecRevision | None:
    """The revision that binds on a date (a lot's is the day it was made), or None.

    With `supplier` (`issuer:id`) only revisions that bind it count. A lot or serial that a revision names as its first
    is bound by it whatever the date (events.rules.specs.effective).
    """
    scoped = [row for row in past(revisions) if supplier is None or not row.suppliers or supplier in row.suppliers]
    state = specs.SpecState(tuple(row.data for row in scoped), len(scoped))
    found = specs.effective(state, on, lot, serial)
    return None if found is None else next(row for row in scoped if row.revision == found["revision"])


def past(revisions: Iterable[SpecRevision]) -> list[SpecRevision]:
    """Every revision in order of its number."""
    return sorted(revisions, key=lambda row: row.revision)
