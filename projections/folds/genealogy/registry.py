"""The rows of the registry: motor types, parties, benches with calibrations, source changes with their evidence."""

from collections.abc import Iterable, Sequence
from typing import Any

from projections.folds.claims import Claim, that_holds
from projections.folds.genealogy.rows import Bench, Calibration, Evidence, MotorType, Party, SourceChange
from projections.folds.reading import instant, instant_or_none, origin, ref


def _common(held: Claim, conflict: bool) -> dict[str, Any]:
    return {
        "conflict": conflict,
        "event_source": held.source,
        "event_id": held.id,
        "position": held.position,
    }


def motor_type(claims: Sequence[Claim]) -> Iterable[MotorType]:
    held, conflict = that_holds(claims, "motor_type_registered")
    if held is None:
        return
    says = held.says
    yield MotorType(
        motor_type=ref(says["motor_type"]) or "",
        name=says["name"],
        magnet_item=ref(says.get("magnet_item")),
        design=says["design"],
        notes=says.get("notes"),
        origin=origin(says),
        **_common(held, conflict),
    )


def party(claims: Sequence[Claim]) -> Iterable[Party]:
    held, conflict = that_holds(claims, "party_registered")
    retired, _ = that_holds(claims, "party_retired")
    if held is None:
        return
    says = held.says
    yield Party(
        party=ref(says["party"]) or "",
        name=says["name"],
        kinds=list(says["kinds"]),
        sites=list(says.get("sites") or ()),
        contact=says.get("contact"),
        retired=retired is not None,
        origin=origin(says),
        **_common(held, conflict),
    )


def bench(claims: Sequence[Claim]) -> Iterable[Bench]:
    held, conflict = that_holds(claims, "bench_registered")
    if held is None:
        return
    says = held.says
    yield Bench(
        bench=ref(says["bench"]) or "",
        party=ref(says["party"]) or "",
        name=says["name"],
        location=says.get("location"),
        origin=origin(says),
        **_common(held, conflict),
    )


def calibration(claims: Sequence[Claim]) -> Iterable[Calibration]:
    held, conflict = that_holds(claims, "calibration_recorded")
    if held is None:
        return
    says = held.says
    yield Calibration(
        bench=ref(says["bench"]) or "",
        calibration=says["calibration"],
        instrument=says["instrument"],
        accuracy_class=says.get("accuracy_class"),
        laboratory=ref(says.get("laboratory")),
        valid_from=instant(says["valid_from"]),
        valid_until=instant(says["valid_until"]),
        **_common(held, conflict),
    )


def source_change(claims: Sequence[Claim]) -> Iterable[SourceChange]:
    held, conflict = that_holds(claims, "source_changed")
    if held is None:
        return
    says = held.says
    yield SourceChange(
        supplier=ref(says["supplier"]) or "",
        change=says["change"],
        site=says["site"],
        level=says["level"],
        kind=says["kind"],
        before=says["before"],
        after=says["after"],
        first_lot=ref(says["first_lot"]) or "",
        item=ref(says.get("item")),
        reason=says.get("reason"),
        time=held.time,
        origin=origin(says),
        **_common(held, conflict),
    )


def evidence(claims: Sequence[Claim]) -> Iterable[Evidence]:
    held, conflict = that_holds(claims, "evidence_recorded")
    if held is None:
        return
    says = held.says
    yield Evidence(
        supplier=ref(says["supplier"]) or "",
        evidence=says["evidence"],
        standard=says["standard"],
        edition=says["edition"],
        holder=says["holder"],
        scope=says["scope"],
        valid_until=instant_or_none(says.get("valid_until")),
        document_hash=says.get("document_hash"),
        change=says.get("change"),
        time=held.time,
        origin=origin(says),
        **_common(held, conflict),
    )
