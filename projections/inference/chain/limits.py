"""The limit on the magnet characteristic: the requirement inverted through the line or the knee, by its convention."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy import stats

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from projections.inference.conclusions import Limit, LotModel, LotVerdict, Property, Refusal, Step
from projections.inference.lots.verdicts import requirement_limit, share_conforming

FEWEST_SHARE = 0.5
"""A lot exactly at a limit never has more than half of its motors failing, whatever the rest of the supply does."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an inversion: the metric's limit, how many motors, how sure, against which scatter.

    `share` is what a lot exactly at the proposed limit must reach; `strict` what the at-limit convention asks.
    """

    limit: float
    sign: float
    share: float
    strict: float
    confidence: float
    scatter: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A limit, or why there is none; and what goes into the evidence record."""

    limit: Limit | None
    refusal: Refusal | None = None
    numbers: dict[str, object] | None = None
    notes: tuple[str, ...] = ()


def question(requirement: Requirement, model: LotModel, verdicts: Sequence[LotVerdict]) -> Question:
    """The question behind a limit, by the requirement's convention (statistics.md c.3, c.5).

    `at_limit`: a lot exactly at the limit conforms with p. `supply`: the recorded lots that stay accepted, and one
    more lot exactly at the limit, conform with p on average; never below one half at the limit itself.
    """
    limit, sign = requirement_limit(requirement)
    scatter = model.scatter or 0.0
    share = requirement.conformance
    if requirement.convention == "supply":
        share = _supply_share(requirement, verdicts, scatter, limit, sign)
    return Question(limit, sign, share, requirement.conformance, requirement.confidence, scatter)


def _supply_share(
    requirement: Requirement, verdicts: Sequence[LotVerdict], scatter: float, limit: float, sign: float
) -> float:
    kept = [
        share_conforming(item.effect.estimate, scatter, limit, sign)
        for item in verdicts
        if item.verdict != "does_not_conform" and item.effect.estimate is not None
    ]
    needed = requirement.conformance * (len(kept) + 1) - sum(kept)
    return min(max(needed, FEWEST_SHARE), requirement.conformance)


def safe_side(value: float, side: str) -> float:
    """Rounded to four significant digits, a lower limit up and an upper limit down."""
    if value == 0.0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 3)
    ticks = value / step
    rounded = math.ceil(ticks - 1e-9) if side == "lower" else math.floor(ticks + 1e-9)
    return float(f"{rounded * step:.12g}")


def lot_scatter(values: Sequence[Property]) -> float:
    """Standard deviation of the lots' true values: what their certificates' uncertainty adds is taken out."""
    if len(values) < 2:
        return 0.0
    mean = sum(item.value for item in values) / len(values)
    seen = sum((item.value - mean) ** 2 for item in values) / (len(values) - 1)
    stated = sum(item.u**2 for item in values) / len(values)
    return math.sqrt(max(seen - stated, 0.1 * seen))


def with_target(limit: Limit, good: Sequence[Property], factor: float) -> Limit:
    """The limit with the process target that leaves `factor` lot standard deviations (H.4: 4 for Cpk 1.33).

    A characteristic that is better the lower it is gets none: there is nothing to aim at but less.
    """
    sd = lot_scatter(good)
    if not good or sd == 0.0 or characteristics.find(limit.characteristic).direction == "lower":
        return limit
    aim = limit.value + factor * sd if limit.side == "lower" else limit.value - factor * sd
    if aim < 0.0 <= limit.value:
        return limit
    digits = 10.0 ** (math.floor(math.log10(abs(aim))) - 3) if aim else 1.0
    target = float(f"{round(aim / digits) * digits:.12g}")
    step = Step(f"target: limit {'+' if limit.side == 'lower' else '−'} {factor:g} lot standard deviations",
                target, sd, limit.unit, "recorded lots, policy capability_factor")  # fmt: skip
    return replace(limit, target=target, steps=(*limit.steps, step))


def extrapolated(value: float, seen: tuple[float, float], policy: Policy) -> bool:
    """The value lies further outside the recorded range than the policy's margin, as a share of that range."""
    margin = policy.extrapolation_margin * (seen[1] - seen[0])
    return not seen[0] - margin <= value <= seen[1] + margin


def first_steps(requirement: Requirement, model: LotModel, asked: Question) -> tuple[Step, ...]:
    """The steps that every inversion starts with."""
    unit = model.unit
    convention = (
        "accepted recorded lots and one more exactly at the limit conform with p on average"
        if requirement.convention == "supply"
        else "a lot exactly at the limit conforms with p"
    )
    return (
        Step(f"requirement: {'at least' if asked.sign > 0 else 'at most'}", asked.limit, None, unit,
             f"requirement {requirement.requirement}"),
        Step("share p of motors that conform", requirement.conformance, None, "1", f"convention: {convention}"),
        Step("share asked of a lot exactly at the limit", asked.share, None, "1", "convention and accepted lots"),
        Step("confidence", asked.confidence, None, "1", f"requirement {requirement.requirement}"),
        Step("motor-to-motor standard deviation", asked.scatter,
             asked.scatter / math.sqrt(2.0 * max(model.dof, 1.0)), unit, "residual of the lot model"),
    )  # fmt: skip


def sentence(limit: Limit, requirement: Requirement, asked: Question) -> str:
    """Why this limit, in one sentence."""
    name = spoken(limit.characteristic)
    where = f" at {limit.temperature_Cel:g} °C" if limit.temperature_Cel is not None else ""
    where = "" if name.endswith(where) else where
    word = "at least" if limit.side == "lower" else "at most"
    keeps = (
        f"a lot exactly at it has {100 * asked.share:.3g} % of its motors within “{requirement.title}”"
        if requirement.convention == "at_limit"
        else f"the accepted lots, with one more exactly at the limit, meet “{requirement.title}” on average with "
        f"{100 * requirement.conformance:g} % of their motors"
    )
    return (
        f"{name}{where} of {word} {limit.value:g} {limit.unit} (lot mean, true value): {keeps}, with confidence "
        f"{100 * asked.confidence:g} %."
    )


def spoken(key: str) -> str:
    """The characteristic's name as a reviewer reads it, without the temperature that its definition fixes."""
    return characteristics.find(key).name.replace(" 20 deg C", "").replace("deg C", "°C")


def t_factor(confidence: float) -> float:
    """The normal quantile of the confidence."""
    return float(stats.norm.ppf(confidence))
