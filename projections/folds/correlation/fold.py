"""The fold of the correlation: build records, rotors and results of each motor, and what they add to the sums."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from events.canonical import canonical
from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import motors
from events.refs import ref_text
from projections.folds.claims import Claim, Reader, Scheme, projection
from projections.folds.correlation.contributions import contributions
from projections.folds.correlation.motor import BUILDS, Tested, motor_of
from projections.folds.correlation.results import MEASURED, result
from projections.folds.correlation.rows import (
    CORRELATION_ROWS,
    CorrelationClaims,
    CorrelationFate,
    MotorResults,
)


def _home(event: Recorded) -> str:
    return f"motors/{ref_text(event.data['motor'])}"


def _result(event: Recorded) -> tuple[str, dict[str, Any]]:
    return _home(event), result(event)


def _build(event: Recorded) -> tuple[str, dict[str, Any]]:
    return _home(event), dict(event.data)


_READ: Mapping[str, Reader] = {
    **dict.fromkeys(MEASURED, _result),
    type_of(motors.MotorBuilt): _build,
    type_of(motors.RotorReplaced): _build,
}


def follow(home: str, claims: Sequence[Claim]) -> Iterable[MotorResults]:
    """The motor's own row."""
    motor = motor_of(home, claims)
    gone = [_gone(claim) for claim in claims if claim["fate"] and claim["type"] not in BUILDS]
    if motor is None and not gone:
        return
    tests = in_order(motor.tests) if motor else []
    reasons = [test.reason for test in tests]
    yield MotorResults(
        motor=home.partition("/")[2],
        motor_type=motor.motor_type if motor else None,
        built=motor is not None and motor.built,
        built_at=motor.built_at if motor else None,
        stator_batch=motor.stator_batch if motor else None,
        rotors=[rotor.shown() for rotor in motor.rotors] if motor else [],
        tests=[{**test.says, "rotor": test.rotor, "reason": test.reason} for test in tests],
        results=len(tests),
        counted=reasons.count(None),
        waiting=reasons.count("waiting_for_genealogy"),
        test_events=[_event(test.claim) for test in tests],
        gone=gone,
        empty=motor is None,
    )


def in_order(tests: Sequence[Tested]) -> list[Tested]:
    """By test time, then content, then (source, id): resent under new ids, they stand in the same order."""
    moments: dict[str, list[Tested]] = {}
    for test in tests:
        moments.setdefault(test.says["tested_at"], []).append(test)
    found: list[Tested] = []
    for moment in sorted(moments):
        alike = moments[moment]
        if len(alike) > 1:
            alike = sorted(alike, key=lambda test: (canonical(test.says), test.claim["source"], test.claim["id"]))
        found += alike
    return found


def _event(claim: Claim) -> dict[str, Any]:
    return {"source": claim["source"], "id": claim["id"], "position": claim["position"]}


def _gone(claim: Claim) -> dict[str, Any]:
    return {**claim["says"], **_event(claim), "fate": claim["fate"]}


CORRELATION = projection(
    "correlation",
    1,
    Scheme(
        fate=CorrelationFate,
        claims=CorrelationClaims,
        read=_READ,
        follow=follow,
        add=contributions,
        single=MotorResults,
        voidable=frozenset(name.split(".")[2] for name in MEASURED),
    ),
    CORRELATION_ROWS,
)
