"""Naming: which things an event names, anywhere in its data."""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct, defstruct
from msgspec.json import Decoder
from msgspec.structs import astuple
from pydantic import BaseModel

from events.catalogue import CATALOGUE
from events.envelope import Part, Recorded
from events.refs import Ref, ref_name, ref_text
from projections.folds.reading import Named

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


def things_of(event: Recorded) -> set[str]:
    """Everything that the event names: a test its motor and bench, a build its lots, a notice its case and party."""
    part, kind = _part(event.type)
    found = set() if kind is None else {f"{kind}/{event.partition_key}"}
    _gather(event.read(part), found)
    return found


def _gather(part: Any, found: set[str]) -> None:
    for kind, value in zip(part.kinds, astuple(part), strict=True):
        if value.__class__ is Named:
            found.add(f"{kind}/{ref_name(value.issuer, value.id)}")
        elif value is not None:
            _name(value, kind, found)


def _name(value: Any, kind: str | None, found: set[str]) -> None:
    """Note what this value, which would be of this kind, names itself or further inside."""
    if value.__class__ is list:
        for inner in value:
            _name(inner, kind, found)
    elif value.__class__ is dict:
        if kind and _refers(value):
            found.add(f"{kind}/{ref_text(value)}")
            return
        for name, inner in value.items():
            _name(inner, THINGS.get(name), found)
    elif isinstance(value, Struct):
        _gather(value, found)
    elif kind and isinstance(value, str):
        found.add(f"{kind}/{value}")


def _refers(value: Mapping[str, Any]) -> bool:
    return len(value) == 2 and "issuer" in value and "id" in value


@cache
def _part(event_type: str) -> tuple[Part[Struct], str | None]:
    """What is read of the data of this type, and which kind of thing the event is of, which need not be read."""
    line = CATALOGUE[event_type]
    return Decoder(_struct(line.model, line.key)).decode, THINGS.get(line.key)


def _struct(model: type[BaseModel], but: str | None = None) -> type[Struct]:
    """Of a model only the fields that can name a thing, themselves or further inside: the others are not even read."""
    schema = model.model_json_schema()
    shared, fields = schema.get("$defs", {}), schema.get("properties", {})
    naming = [name for name in fields if name != but and (name in THINGS or _may_name(fields[name], shared, ()))]
    kinds = [(name, _kind(name, model.model_fields[name].annotation), None) for name in naming]
    namespace = {"kinds": tuple(map(THINGS.get, naming))}
    return defstruct("Naming", kinds, namespace=namespace, frozen=True, gc=False)


def _kind(field: str, annotation: Any) -> Any:
    """The type of a naming field: a reference, a part of our own or several, or whatever stands there."""
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if get_origin(annotation) is Annotated or (get_origin(annotation) in (Union, UnionType) and len(parts) == 1):
        return _kind(field, parts[0])
    if annotation is Ref and field in THINGS:
        return Named | None
    several = get_origin(annotation) is tuple
    model = parts[0] if several else annotation
    if not isinstance(model, type) or not issubclass(model, BaseModel) or model is Ref:
        return Any
    struct: Any = _struct(model)
    return list[struct] | None if several else struct | None


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
