"""Policies: every constant that changes a number or a decision. Never the environment."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from events.facts.base import Text
from events.refs import Name, Ref
from events.rules.texts import INITIAL, TextState, built, check_version, evolve, fold
from events.vocabulary.quantities import Plain

__all__ = [
    "INITIAL",
    "Policy",
    "PolicyIssued",
    "PolicyRevised",
    "TextState",
    "WritePolicy",
    "decide",
    "evolve",
    "fold",
    "policy_of",
]

Probability = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
NonNegative = Annotated[float, Field(ge=0)]


class Policy(Plain):
    """The constants of inference and of the decider, with the shipped defaults (tags K and J: a person confirms)."""

    policy: Ref = Ref(issuer="lodestone", id="default")
    method: Text = "lot-effects-1"
    minimum_lots: Count = 4
    minimum_motors: Count = 30
    minimum_motors_per_lot: Count = 3
    verdict_probability: Probability = 0.95
    refresh_step_relative: NonNegative = 0.005
    refresh_interval_h: NonNegative = 1.0
    quiet_period_h: NonNegative = 0.0
    rejected_evidence_step: NonNegative = 0.5
    conflict_probability: Probability = 0.001
    guard_rule: Literal["shared_risk", "guard_U", "guard_0.82U"] = "guard_0.82U"
    certificate_uncertainty_relative: NonNegative = 0.015
    characteristic_contrast: NonNegative = 3.0
    extrapolation_margin: NonNegative = 0.25
    capability_factor: NonNegative = 4.0
    approvals: Annotated[int, Field(ge=1)] = 1
    approvals_loosening_safety: Annotated[int, Field(ge=1)] = 2
    respond_within_days: Annotated[int, Field(ge=1)] = 30
    effective_after_days: Annotated[int, Field(ge=0)] = 60
    required_evidence_on_source_change: tuple[Text, ...] = (
        "PPAP element 10: material test results",
        "PPAP element 12: qualified laboratory",
        "ISO 22095 custody record",
    )
    scatter_model_local_field: NonNegative = 0.05
    scatter_model_kappa: NonNegative = 0.02
    scatter_model_squareness: NonNegative = 0.01
    reason: Text = "The defaults that Lodestone ships with."
    by: Name | None = None


class PolicyIssued(Policy):
    """The policy holds from now on."""


class PolicyRevised(Policy):
    """The policy's new constants, whole."""


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """Issue a policy, or revise it whole; names the version it saw (None or 0: there is none)."""

    text: Policy
    by: str
    version: int | None = None


def decide(state: TextState, command: WritePolicy) -> tuple[PolicyIssued | PolicyRevised]:
    """The event that follows. Raises VersionRequired, VersionConflict, Invalid."""
    what = f"The policy {command.text.policy}"
    check_version(what, f"policies/{command.text.policy}", state.version, command.version)
    content = {**command.text.model_dump(mode="json"), "by": command.by}
    if state.version:
        return (built(PolicyRevised, content, what),)
    return (built(PolicyIssued, content, what),)


def policy_of(state: TextState) -> Policy:
    """The policy in force; the shipped defaults where none was issued."""
    return Policy() if state.text is None else Policy.model_validate(state.text)
