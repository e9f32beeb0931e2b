"""Audit: from every thing to all events that concern it."""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

from events.catalogue import DOMAIN, unversioned
from events.envelope import Recorded
from projections.folds.fold import Projection, Row, Rows
from projections.folds.naming import things_of


class AuditEntry(Row, frozen=True):
    """An event that concerns a thing, e.g. `lots/kirin:A-1`: one row for each thing it names.

    `type` is without its version, for a fact told in an earlier version is the same fact.
    """

    thing: str
    position: int
    type: str
    time: str

    __key__: ClassVar[tuple[str, ...]] = ("thing", "position")
    __undigested__: ClassVar[tuple[str, ...]] = ("position",)


def _fold(events: Sequence[Recorded], rows: Rows) -> None:
    found: list[tuple[str, int, str, str]] = []
    for event in events:
        position, kind, time = event.position, _unversioned(event.type), event.time
        found += [(thing, position, kind, time) for thing in things_of(event)]
    rows.append(AuditEntry, found)


_unversioned = cache(unversioned)

AUDIT = Projection(name="audit", version=3, row_types=(AuditEntry,), types=DOMAIN, together=_fold)
