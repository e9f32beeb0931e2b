"""Notices: what each supplier was told, and what it answered; one numbered stream a party."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.facts.base import Moment, Text
from events.refs import Name, Ref
from events.rules.specs import Effectivity, Sourcing, SpecLevel, Statistic
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain, Range, Temperature


class Change(Plain):
    """One characteristic before and after: limits on the true value, and the acceptance limits beside them."""

    characteristic: CharacteristicKey
    old: Range | None = None
    new: Range | None = None
    acceptance_lower: Finite | None = None
    acceptance_upper: Finite | None = None
    decision_rule: Text | None = None
    statistic: Statistic = "lot_mean"
    temperature: Temperature | None = None
    direction: Literal["tightened", "loosened", "changed", "added"]


class NoticeIssued(Plain):
    """A specification that binds this party changed; thin, without other parties' data."""

    notice: Name
    party: Ref
    kind: Literal["released", "current"] = "released"
    spec: Ref
    revision: int
    previous_revision: int | None = None
    level: SpecLevel
    item: Ref
    changes: tuple[Change, ...] = ()
    sourcing: Sourcing | None = None
    reason: Text
    effectivity: Effectivity
    run_out: Text
    respond_by: date
    case: Name | None = None
    contact: Text | None = None
    synthetic: bool = False


class NoticeAnswered(Plain):
    """A named person of the party answered."""

    notice: Name
    party: Ref
    answer: Literal[
        "received", "acknowledged", "can_meet_from", "can_meet_with_deviation", "cannot_meet", "counter_proposal"
    ]
    person: Name
    from_date: date | None = None
    from_lot: Ref | None = None
    until: Moment | None = None
    value: Annotated[Range | None, Field()] = None
    characteristic: CharacteristicKey | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = {
            "can_meet_from": self.from_date is None and self.from_lot is None,
            "can_meet_with_deviation": self.value is None or self.characteristic is None,
            "cannot_meet": self.reason is None,
            "counter_proposal": self.value is None or self.characteristic is None,
        }.get(self.answer, False)
        needs = {
            "can_meet_from": "from_date or from_lot",
            "can_meet_with_deviation": "value and characteristic",
            "cannot_meet": "reason",
            "counter_proposal": "value and characteristic",
        }
        if missing:
            raise PydanticCustomError(
                "answer", "the answer {answer} needs {needs}", {"answer": self.answer, "needs": needs[self.answer]}
            )
        return self
