"""The row of one motor: its claims, which rotor each result belongs to, and why a result does not count."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from events.canonical import canonical
from projections.folds.claims import Claim, claims_of
from projections.folds.correlation.results import TICK_LIMIT, Said, said, said_before, shown
from projections.folds.fold import Row
from projections.folds.reading import instant, ref
from projections.folds.rotors import Rotor, rotor_at, rotors_of
from projections.folds.written import read, written

BUILDS = frozenset({"motor_built", "rotor_replaced"})


class Tested(Struct, frozen=True, gc=False):
    """A result, the number of the rotor it belongs to, and why it counts nowhere (None: it counts)."""

    says: Said
    rotor: int
    reason: str | None
    claim: Claim


class Known(Struct, frozen=True, gc=False):
    """What is known of one motor; `tests` are the results that stand, in no particular order."""

    motor_type: str | None
    built: bool
    built_at: str | None
    stator_batch: str | None
    rotors: Sequence[Rotor]
    tests: Sequence[Tested]


def known(claims: Sequence[Claim]) -> Known:
    """What these claims, those of one motor, leave standing."""
    builds, results = list[Claim](), list[Claim]()
    for claim in claims:
        if claim.type in BUILDS:
            builds.append(claim)
        elif claim.fate is None:
            results.append(claim)
    rotors = rotors_of(builds)
    built = rotors[0].claim if rotors and rotors[0].since is None else None
    says: Mapping[str, Any] = built.says if built else {}
    tests = [_tested(claim, rotors, built is not None) for claim in results]
    return Known(
        motor_type=ref(says.get("motor_type")),
        built=built is not None,
        built_at=instant(says["built_at"]) if built else None,
        stator_batch=says.get("stator_batch"),
        rotors=rotors,
        tests=tests,
    )


def _tested(claim: Claim, rotors: Sequence[Rotor], built: bool) -> Tested:
    says: Said = claim.says
    if not built:
        return Tested(says, rotor_at(rotors, says.tested_at), "waiting_for_genealogy", claim)
    rotor = 0 if len(rotors) == 1 else rotor_at(rotors, says.tested_at)
    dT = says.dT
    if rotors[rotor].magnets is None:
        reason = "lots_unknown"
    elif dT is None:
        reason = "magnet_temperature_unknown"
    elif abs(says.ticks) >= TICK_LIMIT or abs(dT) >= TICK_LIMIT:
        reason = "out_of_range"
    else:
        reason = None
    return Tested(says, rotor, reason, claim)


def in_order(tests: Sequence[Tested]) -> list[Tested]:
    """By test time, then content, then (source, id): resent under new ids, they stand in the same order."""
    moments: dict[str, list[Tested]] = {}
    for test in tests:
        moments.setdefault(test.says.tested_at, []).append(test)
    found: list[Tested] = []
    for moment in sorted(moments):
        alike = moments[moment]
        if len(alike) > 1:
            alike = sorted(alike, key=lambda test: (canonical(_told(test.says)), test.claim.source, test.claim.id))
        found += alike
    return found


def _told(says: Said) -> dict[str, Any]:
    """What was said, without what is null."""
    return {name: value for name, value in shown(says).items() if value is not None}


class MotorResults(Row, frozen=True):
    """One motor with the claims of its build, rotors and results; the rest follows from them on reading.

    `results` counts those that stand, `counted` those that enter sums, `waiting` those without a build record. A row
    that is `empty`, but for what is gone, is in no digest.
    """

    motor: str
    motor_type: str | None
    built: bool
    built_at: str | None
    stator_batch: str | None
    results: int
    counted: int
    waiting: int
    empty: bool
    claims: Any

    __key__: ClassVar[tuple[str, ...]] = ("motor",)
    __undigested__: ClassVar[tuple[str, ...]] = ("claims",)
    __finite__: ClassVar[bool] = True
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor_type",),)

    @property
    def rotors(self) -> list[dict[str, Any]]:
        """[{since, magnets, reason}] in order of time."""
        return [rotor.shown() for rotor in known(told(self.claims)).rotors]

    @property
    def tests(self) -> list[dict[str, Any]]:
        """The results that stand, by test time.

        [{type, metric, value, u, unit, ticks, temperature_Cel, how, dT, bench, operator, fixture, calibration,
        standard, tested_at, why, condition, origin, rotor, reason}]; value in the canonical unit, `ticks` from the
        metric's origin, `dT` in ticks of the covariate magnet_temperature, `rotor` counts from 0, `reason` null when
        it counts, else waiting_for_genealogy | lots_unknown | magnet_temperature_unknown | out_of_range.
        """
        return [_shown(test) for test in in_order(known(told(self.claims)).tests)]

    @property
    def test_events(self) -> list[dict[str, Any]]:
        """[{source, id, position}] of `tests`, in their order."""
        return [_event(test.claim) for test in in_order(known(told(self.claims)).tests)]

    @property
    def gone(self) -> list[dict[str, Any]]:
        """Voided and replaced results, as in `tests` with fate, source, id, position."""
        return [
            {**shown(claim.says), **_event(claim), "fate": claim.fate}
            for claim in told(self.claims)
            if claim.fate and claim.type not in BUILDS
        ]

    @staticmethod
    def __state__(row: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the digest covers: the motor as its claims leave it, without ids and positions of events."""
        if row["empty"]:
            return None
        found = known(told(row["claims"]))
        kept = {name: row[name] for name in ("motor", "motor_type", "built", "built_at", "stator_batch")}
        rotors = [rotor.shown() for rotor in found.rotors]
        return {**kept, "rotors": rotors, "tests": [_shown(test) for test in in_order(found.tests)]}


def keep(motor: str, claims: Sequence[Claim], found: Known) -> MotorResults:
    """The motor's row from its claims and what is known by them."""
    reasons = [test.reason for test in found.tests]
    return MotorResults(
        motor=motor,
        motor_type=found.motor_type,
        built=found.built,
        built_at=found.built_at,
        stator_batch=found.stator_batch,
        results=len(reasons),
        counted=reasons.count(None),
        waiting=reasons.count("waiting_for_genealogy"),
        empty=not (found.built or found.tests or found.rotors),
        claims=written([_stored(claim) for claim in claims]),
    )


def _stored(claim: Claim) -> list[Any]:
    found = claim.stored()
    if claim.type not in BUILDS:
        found[5] = claim.says.stored()
    return found


def told(stored: Iterable[Sequence[Any]]) -> list[Claim]:
    """The claims that a row holds."""
    claims = claims_of(_before(one) if isinstance(one, Mapping) else one for one in read(stored))
    return [claim if claim.type in BUILDS else replace(claim, says=said(claim.says)) for claim in claims]


def _before(claim: Mapping[str, Any]) -> list[Any]:
    """A claim as version 2 of this projection kept it: readers see its rows until all is folded by this version."""
    names = ("time", "source", "id", "position", "type", "says", "fate")
    values = [claim.get(name) for name in names]
    if claim["type"] not in BUILDS:
        values[5] = said_before(claim["says"])
    return values


def _shown(test: Tested) -> dict[str, Any]:
    return {**shown(test.says), "rotor": test.rotor, "reason": test.reason}


def _event(claim: Claim) -> dict[str, Any]:
    return {"source": claim.source, "id": claim.id, "position": claim.position}
