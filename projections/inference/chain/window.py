"""The limit where a characteristic differs but its slope is not known: what the lots that are not bad show."""

from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.vocabulary import characteristics
from projections.inference.chain.limits import Answer, safe_side, spoken
from projections.inference.conclusions import Cause, Limit, Step


def window_limit(requirement: Requirement, cause: Cause, policy: Policy) -> Answer:
    """A limit at the policy's contrast from the other lots' mean: it stops the bad lots and none of the others.

    The least that can be said when the metric's dependence on the characteristic is unknown; the derivation says so.
    """
    found = [item for item in cause.contrasts if item.characteristic == cause.characteristic]
    strong = [item for item in found if item.lot in cause.explained]
    if not strong:
        return Answer(None)
    first = max(strong, key=lambda item: (item.sigmas, item.lot))
    row, name = characteristics.find(first.characteristic), spoken(first.characteristic)
    down = first.value < first.mean
    spread = first.scatter * (1.0 + 1.0 / first.others) ** 0.5
    factor = policy.characteristic_contrast
    side = "lower" if down else "upper"
    value = safe_side(first.mean - factor * spread if down else first.mean + factor * spread, side)
    steps = (
        Step(f"mean {name} of the other lots", first.mean, first.scatter, row.unit, f"{first.others} lots"),
        Step(f"{name} of lot {first.lot}", first.value, first.u, row.unit,
             f"{first.sigmas:.1f} standard deviations away, in the harmful direction"),
        Step("contrast allowed", factor, None, "standard deviations", "policy characteristic_contrast"),
        Step("limit on the true value", value, first.scatter, row.unit,
             f"how {requirement.metric} depends on it is not known: the range of the lots that are not bad"),
    )  # fmt: skip
    word = "at least" if down else "at most"
    why = (
        f"{name} of {word} {value:g} {row.unit} (lot mean, true value) is what the lots that are not bad show; lot "
        f"{first.lot} had {first.value:.4g} {row.unit}. How the metric depends on it is not known."
    )
    limit = Limit(
        first.characteristic, "lower" if down else "upper", value, first.scatter, row.unit, steps=steps, why=why
    )
    return Answer(limit, None, {"model": "range of the other lots", "mean": first.mean, "scatter": first.scatter})
