"""What inference concludes on one requirement: lots with verdicts, causes, limits; each number with its error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from projections.inference.state import EventId

Verdict = Literal["conforms", "does_not_conform", "not_shown", "not_identifiable"]
Number = float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that the data cannot answer: a name, one sentence, and the measurement that would tell."""

    code: str
    sentence: str
    would_tell: str = ""


@dataclass(frozen=True, slots=True)
class LotEffect:
    """A lot's motors at the reference condition: estimate and standard error in the metric's unit.

    `estimate` is unshrunken (lots as fixed effects); `shrunken` (BLUP) with `shrunken_u` (PEV) only ranks.
    `motors` counts motors by their share of the lot's pieces.
    """

    lot: str
    motors: float
    results: int
    estimate: Number
    u: Number
    shrunken: Number = None
    shrunken_u: Number = None
    reason: str | None = None
    test_to_settle: str | None = None


@dataclass(frozen=True, slots=True)
class LotVerdict:
    """The verdict on a lot: `probability` that the share of its conforming motors is below the requirement's."""

    lot: str
    verdict: Verdict
    probability: Number
    effect: LotEffect
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LotModel:
    """What was learnt about all lots of one metric; `scatter` is the motor-to-motor standard deviation.

    `dof` are the residual degrees of freedom; `numbers` goes into the evidence record as it is; `shared_u` is the
    part of the effects' errors that all lots have in common (reference benches, covariate).
    """

    metric: str
    unit: str
    effects: tuple[LotEffect, ...]
    scatter: Number
    dof: float
    motors: int
    results: int
    benches: int
    numbers: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refusal: Refusal | None = None
    shared_u: float = 0.0


@dataclass(frozen=True, slots=True)
class Property:
    """A lot's value of one characteristic in its canonical unit, with standard uncertainty and where it came from."""

    value: float
    u: float
    events: tuple[EventId, ...] = ()
    n: int = 1


@dataclass(frozen=True, slots=True)
class Contrast:
    """One characteristic of a bad lot against the other lots: `sigmas` is positive in the harmful direction."""

    characteristic: str
    lot: str
    value: float
    u: float
    mean: float
    scatter: float
    others: int
    sigmas: float


@dataclass(frozen=True, slots=True)
class Cause:
    """The magnet characteristic that explains bad lots, or none with the measurement that would tell."""

    characteristic: str | None
    basis: Literal["design", "contrast", "none"]
    contrasts: tuple[Contrast, ...] = ()
    explained: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One number of a derivation, in the order in which they follow from each other."""

    name: str
    value: Number = None
    u: Number = None
    unit: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on the true value of a characteristic: lower or upper, canonical unit, lot mean or each piece.

    `value` is what is proposed, already rounded to the safe side; `u` its standard uncertainty; `temperature_Cel`
    where the value depends on it. `target` is what the process should aim at, None where nothing follows.
    """

    characteristic: str
    side: Literal["lower", "upper"]
    value: float
    u: float
    unit: str
    statistic: Literal["lot_mean", "each_piece"] = "lot_mean"
    temperature_Cel: Number = None
    target: Number = None
    steps: tuple[Step, ...] = ()
    priors: tuple[str, ...] = ()
    extrapolated: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sourced:
    """What should be required of one supplier, and which of its sources excluded."""

    supplier: str
    excluded: tuple[str, ...]
    required: tuple[str, ...]
    why: str
    changes: tuple[EventId, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Conclusions:
    """Everything concluded on one requirement; refusals are conclusions too.

    `known` are the properties of the judged lots that the conclusions used, by lot and characteristic.
    """

    requirement: str
    model: LotModel
    verdicts: tuple[LotVerdict, ...] = ()
    cause: Cause | None = None
    limits: tuple[Limit, ...] = ()
    sourcing: tuple[Sourced, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    known: Mapping[str, Mapping[str, Property]] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def bad(self) -> tuple[str, ...]:
        """The lots that do not conform."""
        return tuple(item.lot for item in self.verdicts if item.verdict == "does_not_conform")
