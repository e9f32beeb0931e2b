"""Defaults are events too: what the first requirement's append also issues, where none exists."""

from collections.abc import Collection
from uuid import UUID

from events.ids import conclusion_id
from events.refs import Ref
from events.rules.policies import Policy, PolicyIssued
from events.rules.sensitivities import SensitivityAssigned
from events.vocabulary.priors import PRIORS, Prior

ISSUER = "lodestone"
BASES = {
    "D": "derived",
    "K": "common knowledge of the field, to be confirmed by a person",
    "J": "judgement, to be confirmed by a person",
}


Default = PolicyIssued | SensitivityAssigned


def defaults(*, policy_exists: bool, sensitivities: Collection[str]) -> tuple[Default, ...]:
    """The shipped policy and sensitivities that are not there yet; `sensitivities` are those that are (`issuer:id`)."""
    issued: list[Default] = [] if policy_exists else [PolicyIssued(**Policy().model_dump())]
    shipped = (assigned(prior) for prior in PRIORS)
    return (*issued, *(model for model in shipped if str(model.sensitivity) not in sensitivities))


def default_id(model: Default) -> UUID:
    """The event id of a default: the same wherever and whenever it is issued."""
    key = model.sensitivity if isinstance(model, SensitivityAssigned) else model.policy
    return conclusion_id(ISSUER, "default", str(key))


def assigned(prior: Prior) -> SensitivityAssigned:
    """A shipped prior as the event that assigns it."""
    known = [BASES[part] for part in BASES if part in prior.basis.replace("/", " ").replace(",", " ").split()]
    return SensitivityAssigned(
        sensitivity=Ref(issuer=ISSUER, id=prior.id),
        parent=prior.parent,
        child=prior.child,
        form=prior.form,
        mean=prior.mean,
        sigma=prior.sigma,
        unit=prior.unit,
        scale=prior.scale,
        valid_from=prior.valid_from,
        valid_to=prior.valid_to,
        source=f"prior table, row {prior.id}: {prior.basis}",
        reason=f"Shipped prior; {'; '.join(known) if known else 'from the sources named'}.",
    )
