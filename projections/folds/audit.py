"""Audit: from every thing to all events that concern it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar, TypeGuard

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
    for field, kind in _naming(event.type):
        value = data.get(field)
        if kind is not None and _refers(value):
            found.add(_thing(kind, value["issuer"], value["id"]))
        elif value is not None:
            _name(value, field, found)
    return found


def _refers(value: Any) -> TypeGuard[Mapping[str, str]]:
    return value.__class__ is dict and len(value) == 2 and "issuer" in value and "id" in value


@lru_cache(maxsize=1 << 14)
def _thing(kind: str, issuer: str, id: str) -> str:
    return f"{kind}/{name_of({'issuer': issuer, 'id': id})}"


@cache
def _naming(event_type: str) -> tuple[tuple[str, str | None], ...]:
    """The fields of this type's data that can name a thing, themselves (which kind) or further inside."""
    schema = CATALOGUE[event_type].model.model_json_schema()
    shared = schema.get("$defs", {})
    fields = schema.get("properties", {}).items()
    return tuple((name, THINGS.get(name)) for name, inner in fields if name in THINGS or _may_name(inner, shared, ()))


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
        if kind and _refers(value):
            found.add(_thing(kind, value["issuer"], value["id"]))
            return
        for name, inner in value.items():
            _name(inner, name, found)
    elif isinstance(value, list | tuple):
        for inner in value:
            _name(inner, field, found)
    elif kind and isinstance(value, str):
        found.add(f"{kind}/{value}")


def _fold(events: Sequence[Recorded], rows: Rows) -> None:
    found: list[tuple[str, int, str, str]] = []
    for event in events:
        position, kind, time = event.position, _unversioned(event.type), event.time
        found += [(thing, position, kind, time) for thing in things_of(event)]
    rows.append(AuditEntry, found)


_unversioned = cache(unversioned)

AUDIT = Projection(name="audit", version=3, row_types=(AuditEntry,), types=DOMAIN, together=_fold)
