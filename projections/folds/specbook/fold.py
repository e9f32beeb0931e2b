"""The fold of the specification book: rule streams in their own order, each event whole."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from events.catalogue import type_of
from events.envelope import Recorded
from events.refs import ref_text
from events.rules import assessments, policies, requirements, sensitivities, specs
from projections.folds.fold import Key, Projection, Rows
from projections.folds.reading import origin, ref
from projections.folds.specbook.rows import (
    SPECBOOK_ROWS,
    Assessment,
    PolicyRow,
    RequirementRow,
    SensitivityRow,
    SpecHead,
    SpecRevision,
)

WITHDRAWN = type_of(requirements.RequirementWithdrawn)


def _recorded(event: Recorded) -> dict[str, Any]:
    return {
        "time": event.time,
        "event_source": event.source,
        "event_id": event.id,
        "position": event.position,
        "recorded_time": event.recorded_time,
    }


def _version(event: Recorded) -> int:
    assert event.stream_version is not None, "a rule stream numbers its events"
    return event.stream_version


def _spec(event: Recorded, rows: Rows) -> None:
    data, start = event.data, event.data["effectivity"]
    common: dict[str, Any] = {
        "spec": ref_text(data["spec"]),
        "revision": data["revision"],
        "level": data["level"],
        "item": ref_text(data["item"]),
        "suppliers": [ref_text(supplier) for supplier in data.get("suppliers") or ()],
        "effective_date": start["date"],
        "origin": origin(data),
        "version": _version(event),
        "data": dict(data),
        **_recorded(event),
    }
    rows.put(
        SpecRevision(
            first_lot=ref(start.get("first_lot")),
            first_serial=ref(start.get("first_serial")),
            reason=data["reason"],
            case_id=data.get("case"),
            round=data.get("round"),
            **common,
        )
    )
    rows.put(SpecHead(**common))


def _requirement(event: Recorded, rows: Rows) -> None:
    data = event.data
    rows.put(
        RequirementRow(
            requirement=ref_text(data["requirement"]),
            motor_type=ref_text(data["motor_type"]),
            metric=data["metric"],
            title=data["title"],
            in_force=True,
            version=_version(event),
            text=dict(data),
            **_recorded(event),
        )
    )


def _withdrawn(event: Recorded, rows: Rows) -> None:
    there = rows.get(RequirementRow, ref_text(event.data["requirement"]))
    if there is not None:
        rows.put(replace(there, in_force=False, version=_version(event)))


def _policy(event: Recorded, rows: Rows) -> None:
    rows.put(PolicyRow(_policy_key(event), _version(event), text=dict(event.data), **_recorded(event)))


def _policy_key(event: Recorded) -> str:
    return ref(event.data.get("policy")) or "lodestone:default"


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _sensitivity(event: Recorded, rows: Rows) -> None:
    data = event.data
    rows.put(
        SensitivityRow(
            sensitivity=ref_text(data["sensitivity"]),
            parent=data["parent"],
            child=data["child"],
            form=data["form"],
            mean=float(data["mean"]),
            sigma=float(data["sigma"]),
            unit=data["unit"],
            scale=_number(data.get("scale")),
            valid_from=_number(data.get("valid_from")),
            valid_to=_number(data.get("valid_to")),
            source=data["source"],
            reason=data["reason"],
            version=_version(event),
            **_recorded(event),
        )
    )


def _assessed_key(data: Mapping[str, Any]) -> tuple[Any, ...]:
    certificate = data["certificate"]
    return (
        ref_text(data["lot"]),
        ref_text(data["spec"]),
        data["revision"],
        data["characteristic"],
        data.get("statistic") or "lot_mean",
        certificate["source"],
        certificate["id"],
    )


def _assessed(event: Recorded, rows: Rows) -> None:
    data = event.data
    said = {"result": data["result"], "rule": data["rule"], "reason": data["reason"], "data": dict(data)}
    key = dict(zip(Assessment.__key__, _assessed_key(data), strict=True))
    rows.put(Assessment(**key, **said, **_recorded(event)))


Step = tuple[Callable[[Recorded], Iterable[Key]], Callable[[Recorded, Rows], None]]


def _key(row_type: type[Any], name: str) -> Callable[[Recorded], Iterable[Key]]:
    return lambda event: (Key(row_type, (ref_text(event.data[name]),)),)


def _spec_keys(event: Recorded) -> Iterable[Key]:
    spec = ref_text(event.data["spec"])
    return Key(SpecRevision, (spec, event.data["revision"])), Key(SpecHead, (spec,))


_SPEC: Step = (_spec_keys, _spec)
_REQUIREMENT: Step = (_key(RequirementRow, "requirement"), _requirement)
_POLICY: Step = (lambda event: (Key(PolicyRow, (_policy_key(event),)),), _policy)
_STEPS: Mapping[str, Step] = {
    type_of(specs.SpecIssued): _SPEC,
    type_of(specs.SpecRevised): _SPEC,
    type_of(requirements.RequirementIssued): _REQUIREMENT,
    type_of(requirements.RequirementRevised): _REQUIREMENT,
    WITHDRAWN: (_key(RequirementRow, "requirement"), _withdrawn),
    type_of(policies.PolicyIssued): _POLICY,
    type_of(policies.PolicyRevised): _POLICY,
    type_of(sensitivities.SensitivityAssigned): (_key(SensitivityRow, "sensitivity"), _sensitivity),
    type_of(assessments.LotAssessed): (
        lambda event: (Key(Assessment, _assessed_key(event.data)),),
        _assessed,
    ),
}

SPECBOOK = Projection(
    name="specbook",
    version=1,
    row_types=SPECBOOK_ROWS,
    types=frozenset(_STEPS),
    keys=lambda event: _STEPS[event.type][0](event),
    fold=lambda event, rows: _STEPS[event.type][1](event, rows),
    order_free=False,
)
