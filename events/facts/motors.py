"""Motors: the type's design constants, and each motor with the magnet lots inside it."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.facts.base import Fact, Moment, Text
from events.facts.design import Design
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain


class MotorTypeRegistered(Fact):
    """A motor type with the design constants from which sensitivities are computed."""

    motor_type: Ref
    name: Text
    magnet_item: Ref | None = None
    design: Design
    notes: Text | None = None


class MagnetShare(Plain):
    """Pieces of one magnet lot in a rotor; pieces are positive integers."""

    lot: Ref
    pieces: Annotated[int, Field(gt=0, strict=True)]


def _no_lot_twice(magnets: tuple[MagnetShare, ...] | None) -> None:
    if magnets is None or len(magnets) == 1:
        return
    names = [str(share.lot) for share in magnets]
    if len(set(names)) < len(names):
        raise PydanticCustomError("magnets", "a magnet lot is named twice; add its pieces up")


class MotorBuilt(Fact):
    """A motor was built; `magnets` null: its lots are unknown and its results enter no lot model."""

    motor: Ref
    motor_type: Ref
    built_at: Moment
    line: Name | None = None
    stator_batch: Name | None = None
    magnets: Annotated[tuple[MagnetShare, ...], Field(min_length=1)] | None

    @model_validator(mode="after")
    def _lots_once(self) -> "MotorBuilt":
        _no_lot_twice(self.magnets)
        return self


class RotorReplaced(Fact):
    """The motor got another rotor: later results belong to these magnets."""

    motor: Ref
    replaced_at: Moment
    magnets: Annotated[tuple[MagnetShare, ...], Field(min_length=1)] | None
    reason: Text

    @model_validator(mode="after")
    def _lots_once(self) -> "RotorReplaced":
        _no_lot_twice(self.magnets)
        return self


class MotorRetired(Fact):
    """The motor left service."""

    motor: Ref
    retired_at: Moment
    reason: Text
