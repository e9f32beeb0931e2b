"""The fold of the genealogy: what is claimed of each lot, motor, party and source, and the rows that follow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import benches, lots, motors, parties, sources
from projections.folds.claims import Claim, Reader, Scheme, projection, that_holds
from projections.folds.genealogy import registry
from projections.folds.genealogy.rows import (
    GENEALOGY_ROWS,
    GenealogyClaims,
    GenealogyFate,
    Lot,
    LotLink,
    Motor,
    MotorLot,
)
from projections.folds.reading import instant, instant_or_none, origin, quantity, ref
from projections.folds.rotors import Rotor, rotors_of

COMPLETE = 0.995
"""Mass fractions of a lot's inputs sum to at least this, else `genealogy_incomplete` (domain.md 0.3)."""
COUNTS = frozenset({"identity_preserved", "controlled_blending"})
COMPOSES = COUNTS | {"segregated"}


def _home(kind: str, *further: str) -> Reader:
    """Claims of the thing that the event is of, or of what further fields name beside it, kept whole."""

    def read(event: Recorded) -> tuple[str, Mapping[str, Any]]:
        data = event.data
        return "/".join([kind, event.partition_key, *map(data.__getitem__, further)]), data

    return read


_READ: Mapping[str, Reader] = {
    type_of(lots.LotRegistered): _home("lots"),
    type_of(lots.LotWithdrawn): _home("lots"),
    type_of(motors.MotorBuilt): _home("motors"),
    type_of(motors.RotorReplaced): _home("motors"),
    type_of(motors.MotorRetired): _home("motors"),
    type_of(motors.MotorTypeRegistered): _home("motor_types"),
    type_of(parties.PartyRegistered): _home("parties"),
    type_of(parties.PartyRetired): _home("parties"),
    type_of(benches.BenchRegistered): _home("benches"),
    type_of(benches.CalibrationRecorded): _home("calibrations", "calibration"),
    type_of(sources.SourceChanged): _home("changes", "change"),
    type_of(sources.EvidenceRecorded): _home("evidence", "evidence"),
}


def follow(home: str, claims: Sequence[Claim]) -> Iterable[Any]:
    """The rows that follow from the claims on one thing."""
    return _FOLLOW[home.partition("/")[0]](claims)


def event_of(claim: Claim | None) -> tuple[str | None, str | None, int | None]:
    """The columns event_source, event_id, position."""
    return (None, None, None) if claim is None else (claim.source, claim.id, claim.position)


def _lot(claims: Sequence[Claim]) -> Iterable[Any]:
    held, conflict = that_holds(claims, "lot_registered")
    gone, _ = that_holds(claims, "lot_withdrawn")
    if held is None and gone is None:
        return
    says: Mapping[str, Any] = held.says if held else {}
    links = _links(says) if held else []
    total = sum(link.fraction for link in links)
    anyone = held or gone
    assert anyone is not None
    source, name, position = event_of(held)
    yield Lot(
        lot=ref(anyone.says["lot"]) or "",
        level=says.get("level"),
        item=ref(says.get("item")),
        supplier=ref(says.get("supplier")),
        site=says.get("site"),
        produced_at=instant_or_none(says.get("produced_at")),
        quantity_kg=quantity(says.get("quantity"), "kg"),
        pieces=says.get("pieces"),
        custody_model=says.get("custody_model") or ("identity_preserved" if held else None),
        inputs=[{"lot": link.parent, "fraction": link.fraction, "custody_model": link.custody_model} for link in links],
        fraction_sum=float(total),
        incomplete=held is not None and total < COMPLETE and says["level"] != "ore",
        withdrawn=gone is not None,
        withdrawn_reason=gone.says["reason"] if gone else None,
        origin=origin(anyone.says),
        conflict=conflict,
        event_source=source,
        event_id=name,
        position=position,
    )
    yield from links


def _links(says: Mapping[str, Any]) -> list[LotLink]:
    child = ref(says["lot"]) or ""
    made = []
    for part in says.get("inputs") or ():
        custody = part.get("custody_model") or "identity_preserved"
        parent = ref(part["lot"]) or ""
        fraction = float(part["mass_fraction"])
        made.append(LotLink(child, parent, fraction, custody, custody in COUNTS, custody in COMPOSES))
    return sorted(made, key=lambda link: link.parent)


def _motor(claims: Sequence[Claim]) -> Iterable[Any]:
    built, conflict = that_holds(claims, "motor_built")
    retired, _ = that_holds(claims, "motor_retired")
    found = rotors_of(claims)
    anyone = built or retired or (found[-1].claim if found else None)
    if anyone is None:
        return
    says: Mapping[str, Any] = built.says if built else {}
    motor = ref(anyone.says["motor"]) or ""
    source, name, position = event_of(built)
    yield Motor(
        motor=motor,
        built=built is not None,
        motor_type=ref(says.get("motor_type")),
        built_at=instant_or_none(says.get("built_at")),
        line=says.get("line"),
        stator_batch=says.get("stator_batch"),
        magnets=found[-1].magnets if found else None,
        rotors=[rotor.shown() for rotor in found],
        retired_at=instant(retired.says["retired_at"]) if retired else None,
        origin=origin(anyone.says),
        conflict=conflict,
        event_source=source,
        event_id=name,
        position=position,
    )
    yield from _motor_lots(motor, found)


def _motor_lots(motor: str, found: Sequence[Rotor]) -> Iterable[MotorLot]:
    rows: dict[str, MotorLot] = {}
    for number, rotor in enumerate(found, 1):
        pieces, current = rotor.pieces, number == len(found)
        for share in rotor.magnets or ():
            rows[share["lot"]] = MotorLot(share["lot"], motor, share["pieces"], pieces, current)
    return rows.values()


_FOLLOW: Mapping[str, Callable[[Sequence[Claim]], Iterable[Any]]] = {
    "lots": _lot,
    "motors": _motor,
    "motor_types": registry.motor_type,
    "parties": registry.party,
    "benches": registry.bench,
    "calibrations": registry.calibration,
    "changes": registry.source_change,
    "evidence": registry.evidence,
}

GENEALOGY = projection(
    "genealogy",
    3,
    Scheme(
        fate=GenealogyFate,
        home=GenealogyClaims,
        read=_READ,
        know=lambda home, claims: list(follow(home, claims)),
        keep=GenealogyClaims.keep,
        follow=list,
    ),
    GENEALOGY_ROWS,
)
