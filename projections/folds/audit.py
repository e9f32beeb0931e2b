"""Audit: from every thing to all events that concern it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from events.catalogue import CATALOGUE, DOMAIN, unversioned
from events.envelope import Recorded
from projections.folds.fold import Projection, Rows
from projections.folds.reading import name_of

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

    __key__: ClassVar[tuple[str, ...]] = ("thing", "position")
    __undigested__: ClassVar[tuple[str, ...]] = ("position",)


def things_of(event: Recorded) -> set[str]:
    """Everything that the event names: a test its motor and bench, a build its lots, a notice its case and party."""
    data, found = event.data, set[str]()
    for field in _naming(event.type):
        if field in data:
            _name(data[field], field, found)
    return found


@cache
def _naming(event_type: str) -> frozenset[str]:
    """The fields of this type's data that can name a thing, themselves or further inside."""
    schema = CATALOGUE[event_type].model.model_json_schema()
    shared = schema.get("$defs", {})
    return frozenset(
        name for name, inner in schema.get("properties", {}).items() if name in THINGS or _may_name(inner, shared, ())
    )


def _may_name(schema: Any, shared: Mapping[str, Any], seen: tuple[str, ...]) -> bool:
    if isinstance(schema, list):
        return any(_may_name(item, shared, seen) for item in schema)
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return name not in seen and _may_name(shared[name], shared, (*seen, name))
    if schema.get("type") == "object" and "properties" not in schema:
        return True  # anything may stand in it
    fields = schema.get("properties", {})
    parts = [
        *fields.values(),
        *(schema[key] for key in ("anyOf", "allOf", "oneOf", "items", "prefixItems") if key in schema),
    ]
    return any(name in THINGS for name in fields) or _may_name(parts, shared, seen)


def _name(value: Any, field: str | None, found: set[str]) -> None:
    """Note what this value of a field names, itself or further inside."""
    kind = THINGS.get(field) if field is not None else None
    if isinstance(value, dict):
        if kind and len(value) == 2 and "issuer" in value and "id" in value:
            found.add(f"{kind}/{name_of(value)}")
            return
        for name, inner in value.items():
            _name(inner, name, found)
    elif isinstance(value, list | tuple):
        for inner in value:
            _name(inner, field, found)
    elif kind and isinstance(value, str):
        found.add(f"{kind}/{value}")


def _fold(event: Recorded, rows: Rows) -> None:
    kind = unversioned(event.type)
    for thing in sorted(things_of(event)):
        rows.insert(AuditEntry(thing, event.position, kind, event.time))


AUDIT = Projection(name="audit", version=3, row_types=(AuditEntry,), types=DOMAIN, fold=_fold)
