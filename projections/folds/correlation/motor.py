"""A motor with its results as its claims leave it: which rotor each result belongs to, and why one does not count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projections.folds.claims import Claim, holding
from projections.folds.correlation.results import TICK_LIMIT
from projections.folds.reading import instant, ref
from projections.folds.rotors import Rotor, rotor_at, rotors_of

BUILDS = frozenset({"motor_built", "rotor_replaced"})


@dataclass(frozen=True, slots=True)
class Tested:
    """A result, the number of the rotor it belongs to, and why it counts nowhere (None: it counts)."""

    says: Mapping[str, Any]
    rotor: int
    reason: str | None
    claim: Claim


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one motor."""

    motor: str
    motor_type: str | None
    built: bool
    built_at: str | None
    stator_batch: str | None
    rotors: Sequence[Rotor]
    claims: Sequence[Claim]

    @property
    def tests(self) -> list[Tested]:
        """The results that stand, in no particular order."""
        return [_tested(claim, self.rotors, self.built) for claim in self.claims]


def motor_of(home: str, claims: Sequence[Claim]) -> Known | None:
    """The motor with the results that stand; None when nothing names it any more."""
    built, _ = holding([claim for claim in claims if claim["type"] == "motor_built"])
    results = [claim for claim in claims if claim["type"] not in BUILDS and claim["fate"] is None]
    rotors = rotors_of(claims)
    if built is None and not results and not rotors:
        return None
    says: Mapping[str, Any] = built["says"] if built else {}
    return Known(
        motor=home.partition("/")[2],
        motor_type=ref(says.get("motor_type")),
        built=built is not None,
        built_at=instant(says["built_at"]) if built else None,
        stator_batch=says.get("stator_batch"),
        rotors=rotors,
        claims=results,
    )


def _tested(claim: Claim, rotors: Sequence[Rotor], built: bool) -> Tested:
    says = claim["says"]
    rotor = rotor_at(rotors, says["tested_at"])
    return Tested(says, rotor, _reason(says, rotors, rotor, built), claim)


def _reason(says: Mapping[str, Any], rotors: Sequence[Rotor], rotor: int, built: bool) -> str | None:
    if not built:
        return "waiting_for_genealogy"
    if rotors[rotor].magnets is None:
        return "lots_unknown"
    if says["dT"] is None:
        return "magnet_temperature_unknown"
    if max(abs(says["ticks"]), abs(says["dT"])) >= TICK_LIMIT:
        return "out_of_range"
    return None
