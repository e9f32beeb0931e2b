"""Quick checks: structs derived from the models of facts; what such a struct takes, its model takes too.

Nearly everything that comes is right, and msgspec finds that out at a third of what a model costs, which also makes an
object of every part. What a struct does not take is for the model to look at, and the model's words are what is told.
"""

from collections.abc import Callable, Iterable
from functools import cache
from types import FunctionType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, StringConstraints
from pydantic.fields import FieldInfo

from events.refs import NO_CONTROL
from events.vocabulary.quantities import known_unit
from events.vocabulary.units import UNITS

Check = Callable[[Any], Any]
"""Gives the value back, or another in its place; raises for a wrong one."""

_BOUNDS = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt", MinLen: "min_length", MaxLen: "max_length"}
_GIVEN = ("min_length", "max_length", "pattern")
_PLAIN = (str, int, float, bool)


class _Unclear(TypeError):
    """A part of a model of which no struct can be derived."""


def quick(model: type[BaseModel]) -> type[msgspec.Struct] | None:
    """The struct of a model, with its fields, its validators and its methods; None where it cannot be derived.

    `msgspec.convert(data, struct)` raises msgspec.ValidationError, or what a validator raises. NaN passes, and control
    characters in names: canonical JSON cannot be made of the one, and has a backslash for each of the others.

    To be called by one thread, as a module is loaded: msgspec looks through a struct once, when it is first used, and a
    second thread that uses it meanwhile ends the process.
    """
    try:
        struct = _struct(model)
    except _Unclear:
        return None
    msgspec.json.Decoder(struct)  # looks through all its fields, which no thread may while another does
    return struct


@cache
def _struct(model: type[BaseModel]) -> type[msgspec.Struct]:
    said = model.__pydantic_decorators__
    others = (said.field_validators, said.validators, said.root_validators)
    if any(others) or model.model_config.get("extra") != "forbid":
        raise _Unclear(model)
    fields: list[Any] = []
    checks: list[tuple[str, list[Check]]] = []
    for name, info in model.model_fields.items():
        if info.alias is not None or info.validation_alias is not None or info.default_factory is not None:
            raise _Unclear(name)
        kind, found = _kind(info.annotation, info.metadata)
        fields.append((name, kind) if info.is_required() else (name, kind, info.default))
        checks += [(name, found)] if found else []
    whole = [_after(one.info.mode, one.func) for one in said.model_validators.values()]
    return msgspec.defstruct(
        model.__name__,
        fields,
        namespace={**_methods(model), **_checking(checks, whole)},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def _after(mode: str, check: Any) -> Check:
    if mode != "after":
        raise _Unclear(mode)
    return getattr(check, "__func__", check)  # type: ignore[no-any-return]


def _methods(model: type[BaseModel]) -> dict[str, Any]:
    """What our own classes define for their values: validators ask them, and so does the catalogue."""
    ours = [base for base in reversed(model.__mro__) if issubclass(base, BaseModel) and base is not BaseModel]
    return {
        name: member
        for base in ours
        for name, member in vars(base).items()
        if isinstance(member, FunctionType) and (name == "__str__" or not name.startswith("__"))
    }


def _checking(checks: Iterable[tuple[str, list[Check]]], whole: Iterable[Check]) -> dict[str, Any]:
    """`__post_init__`, which msgspec calls on what it made; what is None was not given, and is not asked."""
    each = [(name, check) for name, found in checks for check in found]
    rest = list(whole)

    def __post_init__(self: msgspec.Struct) -> None:
        for name, check in each:
            value = getattr(self, name)
            if value is not None:
                put = check(value)
                if put is not value:
                    msgspec.structs.force_setattr(self, name, put)
        for check in rest:
            check(self)

    return {"__post_init__": __post_init__} if each or rest else {}


def _kind(annotation: Any, metadata: Iterable[Any]) -> tuple[Any, list[Check]]:
    """The type for msgspec, and what is then to be checked of the value, in this order."""
    bounds, checks, before = _told(metadata)
    if annotation is AwareDatetime and before is not None:
        return str, [before, *checks]
    if before is not None:
        raise _Unclear(annotation)
    if known_unit in checks and annotation is str and not bounds:  # by far the most frequent one
        return Literal[tuple(UNITS)], [check for check in checks if check is not known_unit]
    kind, inner = _bare(annotation)
    if bounds and NoneType in get_args(annotation):
        raise _Unclear(annotation)
    return (Annotated[kind, msgspec.Meta(**bounds)] if bounds else kind), [*inner, *checks]


def _told(metadata: Iterable[Any]) -> tuple[dict[str, Any], list[Check], Check | None]:
    """Bounds, validators and the one validator before all, of what stands beside an annotation."""
    bounds: dict[str, Any] = {}
    checks: list[Check] = []
    before: Check | None = None
    for one in metadata:
        if type(one) in _BOUNDS:
            name = _BOUNDS[type(one)]
            bounds[name] = getattr(one, name)
        elif isinstance(one, AfterValidator):
            checks.append(one.func)  # type: ignore[arg-type]
        elif isinstance(one, BeforeValidator) and before is None:
            before = one.func  # type: ignore[assignment]
        elif isinstance(one, FieldInfo):
            more, later, first = _told(one.metadata)
            bounds, checks, before = {**bounds, **more}, checks + later, before or first
        else:
            bounds |= _written(one)
    return bounds, checks, before


def _written(one: Any) -> dict[str, Any]:
    """The bounds that pydantic's own metadata say; NaN and leniency are seen to elsewhere."""
    said = {name: value for name, value in vars(one).items() if value is not None}
    if not isinstance(one, StringConstraints):
        said = {name: value for name, value in said.items() if name not in ("strict", "allow_inf_nan")}
    if not set(said) <= set(_GIVEN):
        raise _Unclear(one)
    if said.get("pattern") == NO_CONTROL:
        del said["pattern"]
    if "pattern" in said:
        said["pattern"] = _searched(str(said["pattern"]))
    return said


def _searched(pattern: str) -> str:
    """The pattern for `re`, whose `$` also stands before a line's end, and whose classes are wider than they look."""
    if not pattern.endswith("$") or "$" in pattern[:-1] or any(it in pattern for it in (r"\d", r"\w", r"\s", r"\b")):
        raise _Unclear(pattern)
    return rf"{pattern[:-1]}\Z"


def _bare(annotation: Any) -> tuple[Any, list[Check]]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return annotation, []
    if origin is Annotated:
        return _kind(parts[0], parts[1:])
    if origin is Literal and all(isinstance(part, str) for part in parts):
        return annotation, []
    if origin in (Union, UnionType) and len(parts) == 2 and NoneType in parts:
        kind, checks = _kind(next(part for part in parts if part is not NoneType), ())
        return kind | None, checks
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        kind, checks = _kind(parts[0], ())
        return tuple[kind, ...], [_each(check) for check in checks]  # type: ignore[valid-type]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _struct(annotation), []
    raise _Unclear(annotation)


def _each(check: Check) -> Check:
    def every(values: tuple[Any, ...]) -> tuple[Any, ...]:
        found = tuple([check(value) for value in values])
        return values if found == values else found

    return every
