"""Notices: what each supplier was told, and what it answered; one numbered stream a party."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.envelope import Recorded
from events.errors import Fault, Forbidden, Invalid, NotFound, Refused
from events.facts.base import Moment, Text
from events.refs import Name, Ref
from events.rules.access import Principal
from events.rules.changes import Direction
from events.rules.specs import Effectivity, Sourcing, SpecLevel, Statistic
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Finite, Plain, Range, Temperature

Answer = Literal[
    "received", "acknowledged", "can_meet_from", "can_meet_with_deviation", "cannot_meet", "counter_proposal"
]
RANK: Mapping[str, int] = {"received": 1, "acknowledged": 2}
"""An answer never goes back to a lesser one; those not named here say whether it can be met, and may be changed."""
FINAL = 3


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
    direction: Direction


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
    answer: Answer
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


@dataclass(frozen=True, slots=True)
class FeedState:
    """A party's feed: its notices as stored and the last answer to each, by notice id; `version` numbers the feed."""

    notices: Mapping[str, Mapping[str, Any]]
    answers: Mapping[str, Mapping[str, Any]]
    version: int = 0


INITIAL = FeedState({}, {})


def evolve(state: FeedState, recorded: Recorded) -> FeedState:
    """The state after one more event of the stream `feeds/<party>`."""
    version = state.version + 1 if recorded.stream_version is None else recorded.stream_version
    data, name = recorded.data, recorded.type.split(".")[2]
    if name == "notice_issued":
        return replace(state, notices={**state.notices, data["notice"]: data}, version=version)
    if name == "notice_answered":
        return replace(state, answers={**state.answers, data["notice"]: data}, version=version)
    return replace(state, version=version)


def fold(events: Iterable[Recorded]) -> FeedState:
    """The state that these events of one feed build, in order."""
    state = INITIAL
    for recorded in events:
        state = evolve(state, recorded)
    return state


def decide(state: FeedState, answer: NoticeAnswered, principal: Principal) -> tuple[NoticeAnswered, ...]:
    """The answer as an event; none when the same was answered last.

    Raises Forbidden for anybody but the party itself, NotFound for a notice that it was not sent, Refused for going
    back from an answer to "received" or "acknowledged", Invalid for a characteristic that the notice does not name.
    """
    if principal.party is None or principal.party != answer.party:
        raise Forbidden("Only the party that a notice was sent to answers it.")
    notice = state.notices.get(answer.notice)
    if notice is None:
        raise NotFound(f"There is no notice '{answer.notice}' in your feed.")
    named = [change["characteristic"] for change in notice.get("changes") or ()]
    if answer.characteristic is not None and answer.characteristic not in named:
        detail = f"the notice changes {', '.join(named) or 'no characteristic'}, not {answer.characteristic}"
        raise Invalid(f"The answer does not fit: {detail}.", errors=[Fault("/characteristic", detail)])
    last = state.answers.get(answer.notice)
    if last is None:
        return (answer,)
    if NoticeAnswered.model_validate(last) == answer:
        return ()
    if RANK.get(answer.answer, FINAL) < RANK.get(last["answer"], FINAL):
        raise Refused(f"The notice was answered {last['answer']} already; that cannot go back to {answer.answer}.")
    return (answer,)
