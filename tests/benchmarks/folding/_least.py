"""The least that folds of this form cost: every fact is kept with its thing, to be taken back, and nothing follows."""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct
from msgspec.json import Decoder
from orjson import Fragment

from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import lots, motors
from projections.folds.audit import AUDIT
from projections.folds.claims import Claims, Scheme, projection
from projections.folds.correlation.results import MEASURED
from projections.folds.fates import Fate
from projections.folds.fold import Projection


class ResultsFate(Fate, frozen=True):
    """What became of a result."""


class ResultsClaims(Claims, frozen=True):
    """The results and the build of one motor."""


class ThingsFate(Fate, frozen=True):
    """What became of a record."""


class ThingsClaims(Claims, frozen=True):
    """The records of one lot or motor."""


class _Part(Struct, frozen=True, gc=False):
    """The measured value as it was sent, under one of these names."""

    efficiency: Raw = Raw()
    value: Raw = Raw()
    loss: Raw = Raw()
    velocity: Raw = Raw()


_part = Decoder(_Part).decode


def _value(event: Recorded) -> tuple[str, Any]:
    """The measured value of its motor, as text."""
    found = event.read(_part)
    return event.partition_key, Fragment(bytes(found.efficiency or found.value or found.velocity or found.loss))


def _whole(event: Recorded) -> tuple[str, Any]:
    return event.partition_key, event.data


def _kept(name: str, fate: type[Fate], home: type[Claims], read: dict[str, Any]) -> Projection:
    scheme = Scheme(fate=fate, home=home, read=read, know=lambda home, claims: None, keep=home.keep)
    return projection(name, 1, scheme, ())


_BUILT = {type_of(motors.MotorBuilt): _whole}
_RESULTS = _kept("results", ResultsFate, ResultsClaims, {**dict.fromkeys(MEASURED, _value), **_BUILT})
_LOTS = {type_of(lots.LotRegistered): _whole, type_of(lots.LotCertified): _whole}
_THINGS = _kept("things", ThingsFate, ThingsClaims, {**_LOTS, **_BUILT})

LEAST: dict[str, Sequence[Projection]] = {
    "fold_correlation": (_RESULTS,),
    "fold_all": (_RESULTS, _THINGS, AUDIT),
}
"""By row of the benchmark; the audit's entries are all that it has."""
