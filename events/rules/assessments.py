"""Assessments: each certificate against the revision effective for its lot; concluded by the engine only."""

from typing import Literal

from events.facts.base import EventRef, Text
from events.refs import Ref
from events.rules.specs import DecisionRule, Statistic
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Measured, Plain, Range


class LotAssessed(Plain):
    """One characteristic of one lot was assessed: conform, nonconform or inconclusive (JCGM 106)."""

    lot: Ref
    spec: Ref
    revision: int
    characteristic: CharacteristicKey
    statistic: Statistic
    certificate: EventRef
    value: Measured
    limits: Range
    acceptance: Range | None = None
    rule: DecisionRule
    result: Literal["conform", "nonconform", "inconclusive"]
    reason: Text
