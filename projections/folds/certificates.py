"""Certificates: for every lot the measurements in force, from certificates, inspections and process records."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from events.canonical import canonical
from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import lots
from events.refs import ref_text
from projections.folds.claims import Claim, Claims, Reader, Scheme, holding, living, order, projection
from projections.folds.fates import Fate
from projections.folds.fold import Row
from projections.folds.reading import instant, measured, origin, quantity, ref


class CertificatesFate(Fate, frozen=True):
    """What became of a certificate, inspection or process record."""


class CertificatesClaims(Claims, frozen=True):
    """What documents say of one lot."""


class LotMeasurement(Row, frozen=True):
    """One measurement of a lot that is in force, in the characteristic's canonical unit.

    `kind` is certificate, inspection or process; `document` the certificate's name, `laboratory@time` of an inspection
    or `stage@time` of a process record. A corrected certificate replaces the one of its name, whole; the latest
    correction by (time, source, id) holds. `temperature_Cel` null: at the reference 20 °C. `u` standard uncertainty.
    `number` tells equal measurements of one document apart. `time` when it was measured or performed.
    """

    lot: str
    kind: str
    document: str
    characteristic: str
    statistic: str
    number: int
    temperature_Cel: float | None
    value: float
    u: float | None
    unit: str
    n: int | None
    laboratory: str | None
    method: str | None
    stage: str | None
    equipment: str | None
    time: str
    corrected: bool
    conflict: bool
    origin: str
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("lot", "kind", "document", "characteristic", "statistic", "number")
    __undigested__: ClassVar[tuple[str, ...]] = ("event_source", "event_id", "position")
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("characteristic",),)


@dataclass(frozen=True, slots=True)
class _Document:
    """A document in force: the claim that holds, and what its rows have in common."""

    held: Claim
    conflict: bool
    kind: str
    name: str
    readings: Sequence[Mapping[str, Any]]
    time: str


def _read(event: Recorded) -> tuple[str, Mapping[str, Any]]:
    return f"lots/{event.partition_key}", event.data


_READ: Mapping[str, Reader] = dict.fromkeys(
    (
        type_of(lots.LotCertified),
        type_of(lots.CertificateCorrected),
        type_of(lots.IncomingInspected),
        type_of(lots.ProcessRecorded),
    ),
    _read,
)


def follow(home: str, claims: Sequence[Claim]) -> Iterable[LotMeasurement]:
    """The measurements in force of one lot."""
    alive = living(claims)
    for document in (*_certificates(alive), *_inspections(alive), *_processes(alive)):
        yield from _rows(home.partition("/")[2], document)


def _certificates(alive: Sequence[Claim]) -> Iterable[_Document]:
    kinds = {"lot_certified", "certificate_corrected"}
    for name, claims in _by(alive, kinds, lambda says: says["certificate"]).items():
        corrections = [claim for claim in claims if claim.type == "certificate_corrected"]
        if corrections:
            held, conflict = max(corrections, key=order), False
        else:
            first, conflict = holding(claims)
            assert first is not None
            held = first
        yield _Document(held, conflict, "certificate", name, held.says["measurements"], held.time)


def _inspections(alive: Sequence[Claim]) -> Iterable[_Document]:
    named = _by(alive, {"incoming_inspected"}, lambda says: ref_text(says["laboratory"]), timed=True)
    for name, claims in named.items():
        held, conflict = holding(claims)
        assert held is not None
        yield _Document(held, conflict, "inspection", name, held.says["measurements"], held.time)


def _processes(alive: Sequence[Claim]) -> Iterable[_Document]:
    """A stage performed once may be recorded in parts: of records that say different things, each holds."""
    kinds = {"process_recorded"}
    stages = _by(alive, kinds, lambda says: f"{says['stage']}@{instant(says['performed_at'])}")
    for name, claims in stages.items():
        parts = _by(claims, kinds, lambda says: " ".join(sorted({r["characteristic"] for r in says["parameters"]})))
        taken: set[str] = set()
        for part in sorted(parts.values(), key=lambda claims: order(min(claims, key=order))):
            held, conflict = holding(part)
            assert held is not None
            readings = [item for item in held.says["parameters"] if item["characteristic"] not in taken]
            conflict = conflict or len(readings) < len(held.says["parameters"])
            taken |= {item["characteristic"] for item in readings}
            performed = instant(held.says["performed_at"])
            yield _Document(held, conflict, "process", name, readings, performed)


def _by(
    claims: Sequence[Claim], kinds: set[str], name: Callable[[Mapping[str, Any]], str], *, timed: bool = False
) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.type in kinds:
            key = name(claim.says) + (f"@{claim.time}" if timed else "")
            found.setdefault(key, []).append(claim)
    return dict(sorted(found.items()))


def _rows(lot: str, document: _Document) -> Iterable[LotMeasurement]:
    says = document.held.says
    numbers: dict[tuple[str, str], int] = {}
    for reading in sorted(document.readings, key=canonical):
        key = reading["characteristic"], reading.get("statistic") or "lot_mean"
        number = numbers[key] = numbers.get(key, -1) + 1
        value, u, unit = measured(key[0], reading["value"])
        yield LotMeasurement(
            lot=lot,
            kind=document.kind,
            document=document.name,
            characteristic=key[0],
            statistic=key[1],
            number=number,
            temperature_Cel=quantity(reading.get("temperature"), "Cel"),
            value=value,
            u=u,
            unit=unit,
            n=reading.get("n"),
            laboratory=ref(says.get("laboratory")),
            method=says.get("method"),
            stage=says.get("stage"),
            equipment=says.get("equipment"),
            time=document.time,
            corrected=document.held.type == "certificate_corrected",
            conflict=document.conflict,
            origin=origin(says),
            event_source=document.held.source,
            event_id=document.held.id,
            position=document.held.position,
        )


CERTIFICATES = projection(
    "certificates",
    3,
    Scheme(
        fate=CertificatesFate,
        home=CertificatesClaims,
        read=_READ,
        know=lambda home, claims: list(follow(home, claims)),
        keep=CertificatesClaims.keep,
        follow=list,
    ),
    (LotMeasurement,),
)
