"""Custody models of ISO 22095, from the strongest to the weakest, and what each allows to be said about a lot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class CustodyModel:
    """What may be joined through a link of this model (domain dossier F.2), and the claim that its text may make."""

    name: str
    joins_origin: bool
    joins_composition: bool
    claim: str


_MODELS = (
    CustodyModel("identity_preserved", True, True, "This lot contains material of the named source."),
    CustodyModel("segregated", False, True, "All input meets the named standard; from which source is not known."),
    CustodyModel("controlled_blending", True, True, "At least the stated share of this lot is of the named source."),
    CustodyModel(
        "mass_balance", False, False, "An equal amount was purchased and attributed; the atoms are not known."
    ),
    CustodyModel("book_and_claim", False, False, "Certified production was funded; nothing is said of this lot."),
)

MODELS: Mapping[str, CustodyModel] = {row.name: row for row in _MODELS}
"""In the order of strength: a chain has the weakest model of its links, and nothing upgrades it afterwards."""


def find(name: str) -> CustodyModel:
    """The model with this name. Raises Invalid naming all five."""
    found = MODELS.get(name)
    if found is None:
        raise Invalid(f"The custody model '{name}' is not one of {', '.join(MODELS)}.", custody_model=name)
    return found


def weakest(names: Iterable[str]) -> CustodyModel:
    """The model of a whole chain. Raises Invalid for an unknown name or an empty chain."""
    order = list(MODELS)
    places = [order.index(find(name).name) for name in names]
    if not places:
        raise Invalid("A chain without links has no custody model; name at least one.")
    return _MODELS[max(places)]


def blended_variance_share(fractions: Iterable[float]) -> float:
    """Σ wᵢ²: the share of a source's variance that a blend keeps; 1/n for n equal sources (domain.md F.2)."""
    return sum(fraction * fraction for fraction in fractions)
