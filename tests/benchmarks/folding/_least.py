"""The least that folds of this form cost: every fact is kept with its thing, to be taken back, and nothing follows."""

from collections.abc import Sequence
from typing import Any

from events.catalogue import type_of
from events.envelope import Recorded
from events.facts import lots, motors
from events.refs import ref_text
from projections.folds.audit import AUDIT
from projections.folds.claims import Claims, Scheme, projection
from projections.folds.correlation.results import MEASURED
from projections.folds.fates import Fate
from projections.folds.fold import Projection

_VALUES = ("efficiency", "value", "loss", "velocity")


class ResultsFate(Fate, frozen=True):
    """What became of a result."""


class ResultsClaims(Claims, frozen=True):
    """The results and the build of one motor."""


class ThingsFate(Fate, frozen=True):
    """What became of a record."""


class ThingsClaims(Claims, frozen=True):
    """The records of one lot or motor."""


def _value(event: Recorded) -> tuple[str, Any]:
    """The measured value as it was sent, of its motor."""
    data = event.data
    return ref_text(data["motor"]), next(data[name] for name in _VALUES if name in data)


def _of_motor(event: Recorded) -> tuple[str, Any]:
    return ref_text(event.data["motor"]), event.data


def _of_lot(event: Recorded) -> tuple[str, Any]:
    return ref_text(event.data["lot"]), event.data


def _kept(name: str, fate: type[Fate], home: type[Claims], read: dict[str, Any]) -> Projection:
    scheme = Scheme(fate=fate, home=home, read=read, know=lambda home, claims: None, keep=home.keep)
    return projection(name, 1, scheme, ())


_BUILT = {type_of(motors.MotorBuilt): _of_motor}
_RESULTS = _kept("results", ResultsFate, ResultsClaims, {**dict.fromkeys(MEASURED, _value), **_BUILT})
_LOTS = {type_of(lots.LotRegistered): _of_lot, type_of(lots.LotCertified): _of_lot}
_THINGS = _kept("things", ThingsFate, ThingsClaims, {**_LOTS, **_BUILT})

LEAST: dict[str, Sequence[Projection]] = {
    "fold_correlation": (_RESULTS,),
    "fold_all": (_RESULTS, _THINGS, AUDIT),
}
"""By row of the benchmark; the audit's entries are all that it has."""
