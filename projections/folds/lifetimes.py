"""Lifetimes: how long each motor lived and how it failed, and per lot and mode the exact sums."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from events.canonical import canonical
from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import motors, tests
from events.vocabulary.covariates import COVARIATES
from projections.folds.accumulators import One, moved
from projections.folds.claims import Change, Claim, Claims, Reader, Scheme, living, projection, that_holds
from projections.folds.fates import Fate
from projections.folds.fold import Row, Rows
from projections.folds.reading import finite, instant, origin, quantity, ref
from projections.folds.rotors import Rotor, rotor_at, rotors_of

FAILURE, SURVIVAL = type_of(tests.FailureObserved), type_of(tests.SurvivalObserved)
BUILDS = frozenset({"motor_built", "rotor_replaced"})
ANY = "*"
LONGEST_H = 1e7
"""A life from here on (a thousand years) is kept and shown, but not summed."""


class LifetimesFate(Fate, frozen=True):
    """What became of a failure or survival."""


class LifetimesClaims(Claims, frozen=True):
    """What facts say of one motor's life."""


class MotorLife(Row, frozen=True):
    """One motor's life; its exposure counts once.

    `life_h` is the life at the first failure with `mode`, or the longest survival with `mode` null; null when no
    record counts. `exposure_h` is the longest life on record, beyond the first failure if it was repaired, and
    `failures` the first failure of each mode, [{mode, life_h}]: for one mode the motor is exposed to that failure, or
    to `exposure_h`. `magnets` [{lot, pieces}] of the rotor that it was built with, null unless known.
    `records`: [{type, life_h, mode, confidence, bench, tested_at, why, rotor, origin, reason}]; `reason` null when it
    counts, else waiting_for_genealogy | lots_unknown | out_of_range | rotor_replaced (how long the new magnets ran is
    not known).
    """

    motor: str
    motor_type: str | None
    built: bool
    magnets: Any
    pieces: int
    life_h: float | None
    mode: str | None
    exposure_h: float | None
    failures: Any
    records: Any
    counted: int
    waiting: int
    origin: str
    record_events: Any
    gone: Any
    empty: bool

    __key__: ClassVar[tuple[str, ...]] = ("motor",)
    __undigested__: ClassVar[tuple[str, ...]] = ("record_events", "gone")
    __undigested_rows__: ClassVar[str] = "empty"
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor_type",),)


class LotLife(Row, frozen=True):
    """Exact sums over the motors with pieces of this lot, all with `pieces` in the rotor.

    For mode "*": `failed` adds the lot's pieces in motors that failed at all, `exposure_ticks` adds pieces times hours
    (in ticks of 0.1 h) to the first failure or longest survival, `motors` counts. For a mode: `failed` adds its pieces
    in motors that failed so. Failures weighted by share are `failed` / `pieces`.
    """

    lot: str
    mode: str
    motor_type: str
    pieces: int
    failed: int
    exposure_ticks: int
    motors: int

    __key__: ClassVar[tuple[str, ...]] = ("lot", "mode", "motor_type", "pieces")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __sums__: ClassVar[tuple[str, ...]] = ("failed", "exposure_ticks", "motors")


def _build(event: Recorded) -> tuple[str, Mapping[str, Any]]:
    return f"motors/{event.partition_key}", event.data


def _record(event: Recorded) -> tuple[str, dict[str, Any]]:
    data = event.data
    return f"motors/{event.partition_key}", {
        "type": event.type.split(".")[2],
        "life_h": finite(quantity(data["life"], "h")),
        "mode": data.get("mode"),
        "confidence": (data.get("confidence") or "probable") if event.type == FAILURE else None,
        "evidence": data.get("mechanism_evidence"),
        "bench": ref(data["bench"]),
        "tested_at": instant(data["tested_at"]),
        "why": data["why"],
        "origin": origin(data),
    }


_READ: Mapping[str, Reader] = {
    FAILURE: _record,
    SURVIVAL: _record,
    type_of(motors.MotorBuilt): _build,
    type_of(motors.RotorReplaced): _build,
}


def follow(home: str, claims: Sequence[Claim]) -> Iterable[MotorLife]:
    """The motor's own row; none for a motor of which no failure or survival was ever told."""
    listed = [claim for claim in claims if claim.type not in BUILDS]
    if not listed:
        return
    alive = sorted(living(listed), key=_rank)
    built, _ = that_holds(claims, "motor_built")
    rotors = rotors_of(claims)
    records = [_judged(claim.says, rotors, built is not None) for claim in alive]
    counted = [record for record in records if record["reason"] is None]
    failures = _failures(counted)
    exposure = max((record["life_h"] for record in counted), default=None)
    first = failures[0] if failures else None
    yield MotorLife(
        motor=home.partition("/")[2],
        motor_type=ref(built.says["motor_type"]) if built else None,
        built=built is not None,
        magnets=rotors[0].magnets if built else None,
        pieces=rotors[0].pieces if built else 0,
        life_h=first["life_h"] if first else exposure,
        mode=first["mode"] if first else None,
        exposure_h=exposure,
        failures=failures,
        records=records,
        counted=len(counted),
        waiting=sum(record["reason"] == "waiting_for_genealogy" for record in records),
        origin="synthetic" if any(record["origin"] == "synthetic" for record in records) else "measured",
        record_events=[_event(claim) for claim in alive],
        gone=[{**claim.says, **_event(claim), "fate": claim.fate} for claim in listed if claim.fate],
        empty=not alive,
    )


def _rank(claim: Claim) -> tuple[str, bytes, str, str]:
    return claim.says["tested_at"], canonical(claim.says), claim.source, claim.id


def _event(claim: Claim) -> dict[str, Any]:
    return {"source": claim.source, "id": claim.id, "position": claim.position}


def _judged(says: Mapping[str, Any], rotors: Sequence[Rotor], built: bool) -> dict[str, Any]:
    rotor = rotor_at(rotors, says["tested_at"])
    reason = None
    if not built:
        reason = "waiting_for_genealogy"
    elif rotor > 0:
        reason = "rotor_replaced"
    elif rotors[0].magnets is None:
        reason = "lots_unknown"
    elif abs(says["life_h"]) >= LONGEST_H:
        reason = "out_of_range"
    return {**says, "rotor": rotor, "reason": reason}


def _failures(counted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first failure of each mode, in order of life."""
    first: dict[str, float] = {}
    for record in counted:
        if record["mode"] is not None:
            first[record["mode"]] = min(record["life_h"], first.get(record["mode"], record["life_h"]))
    return [{"mode": mode, "life_h": life} for mode, life in sorted(first.items(), key=lambda item: item[::-1])]


def add(changes: Sequence[Change], rows: Rows) -> None:
    """Add what these motors say now to the sums of their lots, and take away what they said before."""
    for _, old, new in changes:
        if old or new:
            for row in moved(contributions(old or ()), contributions(new)):
                rows.add(row)


def contributions(lives: Iterable[MotorLife]) -> Iterable[One]:
    """What a motor adds to the sums of its lots."""
    for life in lives:
        if life.life_h is None or life.motor_type is None:
            continue
        ticks = COVARIATES["hours"].ticks(life.life_h)
        for share in life.magnets or ():
            pieces, common = share["pieces"], (life.motor_type, life.pieces)
            failed = pieces if life.failures else 0
            yield One(LotLife(share["lot"], ANY, *common, failed, pieces * ticks, 1))
            for failure in life.failures:
                yield One(LotLife(share["lot"], failure["mode"], *common, pieces, 0, 1))


LIFETIMES = projection(
    "lifetimes",
    3,
    Scheme(
        fate=LifetimesFate,
        home=LifetimesClaims,
        read=_READ,
        know=lambda home, claims: list(follow(home, claims)),
        keep=LifetimesClaims.keep,
        follow=list,
        add=add,
        voidable=frozenset({"failure_observed", "survival_observed"}),
    ),
    (MotorLife, LotLife),
    divisible=True,
)
