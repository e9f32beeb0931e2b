"""The fold of the correlation: build records, rotors and results of each motor, and what they add to the sums."""

from collections.abc import Mapping
from typing import Any

from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import motors
from projections.folds.claims import Reader, Scheme, projection
from projections.folds.correlation.contributions import add
from projections.folds.correlation.motor import MotorResults, keep, known, told
from projections.folds.correlation.results import MEASURED, result
from projections.folds.correlation.rows import CORRELATION_ROWS, CorrelationFate


def _build(event: Recorded) -> tuple[str, Mapping[str, Any]]:
    return event.partition_key, event.data


_READ: Mapping[str, Reader] = {
    **dict.fromkeys(MEASURED, result),
    type_of(motors.MotorBuilt): _build,
    type_of(motors.RotorReplaced): _build,
}

CORRELATION = projection(
    "correlation",
    3,
    Scheme(
        fate=CorrelationFate,
        home=MotorResults,
        read=_READ,
        know=lambda motor, claims: known(claims),
        keep=keep,
        told=told,
        add=add,
        voidable=frozenset(name.split(".")[2] for name in MEASURED),
    ),
    CORRELATION_ROWS,
    divisible=True,
)
