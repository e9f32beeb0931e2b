"""Audit: from every thing to all events that concern it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from events.catalogue import DOMAIN, unversioned
from events.envelope import Recorded
from events.refs import ref_text
from projections.folds.fold import Key, Projection, Rows

THINGS: Mapping[str, str] = {
    "lot": "lots",
    "first_lot": "lots",
    "from_lot": "lots",
    "motor": "motors",
    "first_serial": "motors",
    "motor_type": "motor_types",
    "bench": "benches",
    "party": "parties",
    "supplier": "parties",
    "suppliers": "parties",
    "laboratory": "parties",
    "item": "items",
    "magnet_item": "items",
    "spec": "specs",
    "specs": "specs",
    "requirement": "requirements",
    "policy": "policies",
    "sensitivity": "sensitivities",
    "priors": "sensitivities",
    "case": "cases",
    "related": "cases",
    "notice": "notices",
    "notices": "notices",
    "token": "tokens",
}
"""Which kind of thing a field of an event names, by reference or by name."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event that concerns a thing, e.g. `lots/kirin:A-1`: one row for each thing it names.

    `type` is without its version, for a fact told in an earlier version is the same fact.
    """

    thing: str
    position: int
    type: str
    time: str
    source: str
    id: str
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("thing", "position")
    __undigested__: ClassVar[tuple[str, ...]] = ("position", "source", "id", "recorded_time")


def things_of(event: Recorded) -> frozenset[str]:
    """Everything that the event names: a test its motor and bench, a build its lots, a notice its case and party."""
    return frozenset(_named(event.data, None))


def _named(value: Any, field: str | None) -> Iterable[str]:
    kind = THINGS.get(field or "")
    if isinstance(value, Mapping):
        if kind and set(value) == {"issuer", "id"}:
            yield f"{kind}/{ref_text(dict(value))}"
            return
        for name, inner in value.items():
            yield from _named(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner, field)
    elif kind and isinstance(value, str):
        yield f"{kind}/{value}"


def _keys(event: Recorded) -> Iterable[Key]:
    return (Key(AuditEntry, (thing, event.position)) for thing in sorted(things_of(event)))


def _fold(event: Recorded, rows: Rows) -> None:
    told = (unversioned(event.type), event.time, event.source, event.id, event.recorded_time)
    for thing in sorted(things_of(event)):
        rows.put(AuditEntry(thing, event.position, *told))


AUDIT = Projection(
    name="audit",
    version=2,
    row_types=(AuditEntry,),
    types=DOMAIN,
    keys=_keys,
    fold=_fold,
)
