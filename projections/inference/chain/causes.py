"""Which magnet characteristic explains the bad lots: by the design's physics, or by what their certificates show."""

import math
from collections.abc import Mapping, Sequence

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics, failure_modes
from projections.inference.chain.properties import Properties
from projections.inference.conclusions import Cause, Contrast, Refusal

BY_DESIGN: Mapping[str, str] = {
    "motor.eta": "magnet.Br", "motor.d_eta": "magnet.Br", "motor.Ke20": "magnet.Br", "motor.psi_m20": "magnet.Br",
    "motor.dpsi_irr": "magnet.HcJ", "motor.dpsi_sc": "magnet.HcJ",
}  # fmt: skip
"""Metrics whose dependence on a magnet characteristic follows from the motor's design (domain.md E.1, E.2)."""
VIBRATION = frozenset({"motor.v", "motor.v_1x"})
SMALLEST_SPREAD = 1e-4
"""A scatter among the other lots is never taken to be below this share of their mean."""


def find_cause(
    requirement: Requirement, bad: Sequence[str], others: Sequence[str], known: Properties, policy: Policy
) -> Cause:
    """The characteristic behind these bad lots; `others` are the lots that they are compared with.

    Never guessed: where no certificate shows a difference, the cause says which measurement would tell.
    """
    by_design = BY_DESIGN.get(requirement.metric)
    if by_design:
        found = _contrasts((by_design,), bad, others, known)
        return Cause(by_design, "design", found, tuple(bad), ())
    suspects, also, person = _suspects(requirement)
    if person:
        return Cause(None, "none", (), (), tuple(bad), Refusal("needs_a_person", person, ""))
    found = _contrasts(suspects, bad, others, known)
    strong = [item for item in found if item.sigmas >= policy.characteristic_contrast]
    if not strong:
        return Cause(None, "none", found, (), tuple(bad), _nameless(bad, found, suspects, also, policy))
    return _named(strong, found, suspects, bad)


def _named(strong: Sequence[Contrast], found: Sequence[Contrast], suspects: Sequence[str], bad: Sequence[str]) -> Cause:
    """The suspect that explains most bad lots; among equals the strongest contrast, then the order of suspicion."""

    def weight(key: str) -> tuple[int, float, int]:
        own = [item.sigmas for item in strong if item.characteristic == key]
        return (len(own), max(own), -suspects.index(key))

    chosen = max({item.characteristic for item in strong}, key=weight)
    explained = tuple(sorted({item.lot for item in strong if item.characteristic == chosen}))
    left = tuple(lot for lot in bad if lot not in explained)
    return Cause(chosen, "contrast", tuple(found), explained, left)


def _suspects(requirement: Requirement) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
    """Magnet suspects in order of suspicion, what has no key, and a sentence where only a person may go on (A.10)."""
    if requirement.metric in VIBRATION:
        bond = failure_modes.find("FM-MAG-DET")
        keys = (*failure_modes.VIBRATION_SUSPECTS, *bond.suspects)
        return tuple(dict.fromkeys(keys)), bond.also, None
    if requirement.metric == "motor.life":
        modes = [failure_modes.find(code) for code in requirement.failure_modes]
        halted = [mode.code for mode in modes if not mode.propagates]
        if halted or not modes:
            named = ", ".join(halted) or "unnamed failure modes"
            return (), (), f"A person must judge {named}: it may not reach a magnet specification by itself (A.10)."
        return (
            tuple(dict.fromkeys(key for mode in modes for key in mode.suspects)),
            tuple(dict.fromkeys(text for mode in modes for text in mode.also)),
            None,
        )
    return (), (), f"No rule leads from {requirement.metric} to a magnet characteristic; a person must judge."


def _contrasts(
    suspects: Sequence[str], bad: Sequence[str], others: Sequence[str], known: Properties
) -> tuple[Contrast, ...]:
    return tuple(
        item
        for key in suspects
        for lot in bad
        if (item := contrast(key, lot, [other for other in others if other not in bad], known)) is not None
    )


def contrast(key: str, lot: str, others: Sequence[str], known: Properties) -> Contrast | None:
    """How far the lot's value lies from the other lots', in the harmful direction, in combined standard deviations.

    The scatter among the others, their mean's error and the lot's own uncertainty combine; None with fewer than
    three others measured, or the lot not measured. A characteristic with a target harms in both directions.
    """
    own = known.get(lot, {}).get(key)
    there = [known[other][key] for other in others if key in known.get(other, {})]
    if own is None or len(there) < 3:
        return None
    mean = sum(item.value for item in there) / len(there)
    spread = math.sqrt(sum((item.value - mean) ** 2 for item in there) / (len(there) - 1))
    spread = max(spread, SMALLEST_SPREAD * abs(mean))
    combined = math.sqrt(spread**2 * (1.0 + 1.0 / len(there)) + own.u**2)
    direction = characteristics.find(key).direction
    difference = own.value - mean
    harmful = {"higher": -difference, "lower": difference, "target": abs(difference)}[direction]
    return Contrast(key, lot, own.value, own.u, mean, spread, len(there), harmful / combined)


def _nameless(
    bad: Sequence[str], found: Sequence[Contrast], suspects: Sequence[str], also: Sequence[str], policy: Policy
) -> Refusal:
    names = ", ".join(dict.fromkeys(item.characteristic for item in found)) or "none of the suspects"
    missing = [key for key in suspects if key not in {item.characteristic for item in found}]
    would = [f"{characteristics.find(key).name} ({key}, {characteristics.find(key).method})" for key in missing]
    would += [f"{text} of the bad lots against the others" for text in also]
    return Refusal(
        "no_characteristic",
        f"No characteristic can be named for {', '.join(bad)}: certified were {names}, and none differs from the other "
        f"lots by {policy.characteristic_contrast:g} standard deviations.",
        "These measurements would tell: " + "; ".join(would) + "." if would else "A teardown with fractography.",
    )
