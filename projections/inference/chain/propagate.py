"""From a magnet limit to alloy and process limits: which parents explain the bad lot, and how far each may move."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.rules.policies import Policy
from events.vocabulary import characteristics
from projections.inference.chain.causes import contrast
from projections.inference.chain.limits import lot_scatter, safe_side, t_factor
from projections.inference.chain.properties import Properties
from projections.inference.chain.slopes import Slope, learn, slopes_into
from projections.inference.conclusions import Limit, Refusal, Step
from projections.inference.state import Edge

SMALLEST_SHARE = 0.03
"""A parent that explains less than this share of the lot's deviation gets no limit of its own."""
CAPABLE = 3.0
"""No limit is set closer than this many recorded standard deviations: the process would not hold it (H.5, ±3 s)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One parent's share in a bad lot: its deviation, its slope, and what that makes of the magnet characteristic."""

    parent: str
    nominal: float
    value: float
    sd: float
    sigmas: float
    slope: Slope
    contribution: float
    u: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The bad lot's deviation of the magnet characteristic, the parts that explain it, and what remains."""

    lot: str
    deviation: float
    u: float
    parts: tuple[Part, ...]
    remainder: float
    remainder_u: float


@dataclass(frozen=True, slots=True)
class Propagated:
    """Limits on the parents, why none where there is none, and the numbers for the evidence record."""

    limits: tuple[Limit, ...]
    explanations: tuple[Explanation, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


def propagate(
    limit: Limit, bad: Sequence[str], good: Sequence[str], known: Properties, edges: Sequence[Edge],
    confidence: float, policy: Policy,
) -> Propagated:  # fmt: skip
    """Limits on the parents of the magnet characteristic that make its limit met (domain.md G.6 backward, H.6)."""
    child = limit.characteristic
    nominal = _nominal(good, known)
    if child not in nominal:
        return Propagated((), (), (), ())
    slopes = slopes_into(child, edges, nominal)
    learnt = learn(child, slopes, [*good, *bad], known)
    found = [_explain(lot, child, good, known, nominal, learnt, policy) for lot in bad if child in known.get(lot, {})]
    if not found:
        return Propagated((), (), (), ())
    sign = 1.0 if limit.side == "lower" else -1.0
    worst = min(found, key=lambda item: (sign * item.deviation, item.lot))
    kept = tuple(part for part in worst.parts if _explains(part, worst, sign, policy))
    if not kept:
        return Propagated((), tuple(found), (_unexplained(worst, child),), ())
    room = sign * (nominal[child] - limit.value)
    room -= t_factor(confidence) * _others_scatter(child, good, known, kept)
    if room <= 0.0:
        refusal = Refusal(
            "no_room",
            f"The lots' mean {child} of {nominal[child]:.4g} {limit.unit} leaves no room at the limit for any scatter "
            "of alloy and process: their targets must move first.",
            "",
        )
        return Propagated((), tuple(found), (refusal,), ())
    explained = sum(abs(part.contribution) for part in kept)
    whole = max(explained, abs(worst.deviation))
    limits = tuple(_limit(part, limit, room * abs(part.contribution) / whole, confidence, worst) for part in kept)
    return Propagated(limits, tuple(found), (), ())


def _nominal(good: Sequence[str], known: Properties) -> dict[str, float]:
    """The mean of the lots that are not bad, for every characteristic that at least three of them have."""
    gathered: dict[str, list[float]] = {}
    for lot in good:
        for key, found in known.get(lot, {}).items():
            gathered.setdefault(key, []).append(found.value)
    return {key: sum(values) / len(values) for key, values in gathered.items() if len(values) >= 3}


def _explain(
    lot: str, child: str, good: Sequence[str], known: Properties, nominal: Mapping[str, float],
    slopes: Mapping[str, Slope], policy: Policy,
) -> Explanation:  # fmt: skip
    own = known[lot][child]
    deviation = own.value - nominal[child]
    parts = []
    for parent, slope in sorted(slopes.items()):
        found = contrast(parent, lot, good, known)
        if found is None:
            continue
        change = found.value - found.mean
        sigmas = abs(change) / math.sqrt(found.scatter**2 * (1.0 + 1.0 / found.others) + found.u**2)
        u = math.hypot(slope.value * found.u, change * slope.sigma)
        parts.append(Part(parent, found.mean, found.value, found.scatter, sigmas, slope, slope.value * change, u))
    strong = [part for part in parts if part.sigmas >= policy.characteristic_contrast]
    remainder = deviation - sum(part.contribution for part in strong)
    return Explanation(lot, deviation, own.u, tuple(parts), remainder, math.hypot(own.u, *(p.u for p in strong)))


def _explains(part: Part, of: Explanation, sign: float, policy: Policy) -> bool:
    harmful = sign * part.contribution < 0.0
    large = abs(part.contribution) >= SMALLEST_SHARE * abs(of.deviation)
    return harmful and large and part.sigmas >= policy.characteristic_contrast


def _others_scatter(child: str, good: Sequence[str], known: Properties, kept: Sequence[Part]) -> float:
    """Lot standard deviation of the child that the explaining parents do not cause."""
    whole = lot_scatter([known[lot][child] for lot in good if child in known.get(lot, {})])
    caused = sum((part.slope.value * part.sd) ** 2 for part in kept)
    return math.sqrt(max(whole * whole - caused, 0.1 * whole * whole))


def _limit(part: Part, magnet: Limit, room: float, confidence: float, worst: Explanation) -> Limit:
    """How far the parent may move when all explaining parents move together, each by its share (worst case, G.6)."""
    unit = characteristics.find(part.parent).unit
    relative = part.slope.sigma / abs(part.slope.value)
    derived = room / (abs(part.slope.value) * (1.0 + t_factor(confidence) * relative))
    held = min(CAPABLE * part.sd, 0.9 * abs(part.value - part.nominal))
    allowed = max(derived, held)
    down = part.value < part.nominal
    value = part.nominal - allowed if down else part.nominal + allowed
    side = "lower" if down else "upper"
    rounded = safe_side(value, side)
    steps = _steps(part, magnet, room, (derived, held), value, worst)
    return Limit(
        part.parent, "lower" if down else "upper", rounded, allowed * relative, unit, steps=steps,
        priors=part.slope.refs, why=_why(part, magnet, rounded, worst, derived >= held),
    )  # fmt: skip


def _steps(
    part: Part, magnet: Limit, room: float, deviations: tuple[float, float], value: float, worst: Explanation
) -> tuple[Step, ...]:
    unit = characteristics.find(part.parent).unit
    relative = part.slope.sigma / abs(part.slope.value)
    per = f"{magnet.unit} per {unit}"
    derived, held = deviations
    return (
        Step(f"limit on {magnet.characteristic}", magnet.value, magnet.u, magnet.unit, "this case"),
        Step(f"nominal {part.parent}", part.nominal, part.sd, unit, "mean and scatter of the other lots"),
        Step(f"{part.parent} of lot {worst.lot}", part.value, None, unit, f"{part.sigmas:.1f} sd away"),
        Step("slope expected beforehand", part.slope.prior, part.slope.prior_sigma, per, ", ".join(part.slope.refs)),
        Step("slope after the recorded lots", part.slope.value, part.slope.sigma, per, "prior and data"),
        Step(f"its part in the lot's deviation of {magnet.characteristic}", part.contribution, part.u, magnet.unit,
             f"of {worst.deviation:.4g} {magnet.unit}, remainder {worst.remainder:.3g} ± {worst.remainder_u:.2g}"),
        Step(f"room for this parent in {magnet.characteristic}", room, None, magnet.unit,
             "others at nominal with their recorded scatter; parents that moved together add up (worst case, G.6)"),
        Step("deviation that the room allows", derived, derived * relative, unit, "room over the slope's upper bound"),
        Step("deviation that the recorded process holds", held, None, unit, f"{CAPABLE:g} recorded sd"),
        Step("limit on the true value", value, max(deviations) * relative, unit, "nominal and the larger deviation"),
    )  # fmt: skip


def _why(part: Part, magnet: Limit, rounded: float, worst: Explanation, kept: bool) -> str:
    unit = characteristics.find(part.parent).unit
    word = "at least" if part.value < part.nominal else "at most"
    holds = (
        f"{word} {rounded:g} {unit} keeps the magnet limit with the other parents at nominal."
        if kept
        else f"{word} {rounded:g} {unit} is what the recorded process holds; nearer it could not keep, and the magnet "
        "limit still binds beside it."
    )
    return (
        f"Lot {worst.lot} had {part.value:.4g} {unit} against {part.nominal:.4g} {unit} of the other lots, which "
        f"explains {part.contribution:.3g} of its {worst.deviation:.3g} {magnet.unit} of "
        f"{magnet.characteristic}; {holds}"
    )


def _unexplained(worst: Explanation, child: str) -> Refusal:
    measured = ", ".join(part.parent for part in worst.parts) or "none"
    return Refusal(
        "no_parent_explains",
        f"No recorded alloy or process value of lot {worst.lot} explains its {child} (recorded: {measured}).",
        "Composition of the lot's alloy and its furnace, milling and diffusion records.",
    )
