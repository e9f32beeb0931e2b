"""What persons order: requirements, first issues of specifications, policies, proposals of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pydantic import BaseModel
from sqlalchemy import select

from events.catalogue import line_of, stored_types, type_of
from events.envelope import Draft, utc_text
from events.errors import IdentityConflict, Refused, VersionConflict
from events.receive import Origin, draft
from events.refs import Ref, ref_text
from events.rules import policies, proposals, requirements, specs, texts
from events.rules.access import Principal, may
from events.rules.defaults import Default, default_id, defaults
from events.rules.policies import Policy, WritePolicy
from events.rules.proposals import Evidence, OpenCase, Propose, ProposedRevision
from events.rules.proposals.commands import Content
from events.rules.requirements import Requirement, WithdrawRequirement, WriteRequirement
from events.rules.sensitivities import SensitivityAssigned
from events.rules.specs import Effectivity, SpecText, WriteSpec
from services import tracing
from services.engine.enact import POLICY_STREAM, SOURCE
from services.store.log import Append, Log
from services.store.tables import log_events, of_types

TRIES = 3
SENSITIVITIES = sorted(stored_types([type_of(SensitivityAssigned)]))


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was written: the event's model, the version of its stream, and the log position."""

    model: BaseModel
    version: int
    position: int


@dataclass(frozen=True, slots=True)
class OwnProposal:
    """A person's own proposal: revisions that belong together, with the reason for them."""

    title: str
    reason: str
    revisions: Sequence[ProposedRevision]
    requirement: Ref | None = None
    item: Ref | None = None
    suppliers: Sequence[Ref] = ()
    effectivity: Effectivity | None = None


class Orders:
    """Where engineers write down what is required."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def requirement(self, text: Requirement, principal: Principal, version: int | None = None) -> Ordered:
        """Issue or revise a requirement; the first one's append also issues the shipped defaults where none exist.

        Raises VersionRequired, VersionConflict, Refused, Invalid.
        """
        may(principal, "issue_requirement")
        stream = f"requirements/{text.requirement}"
        command = WriteRequirement(text, principal.name, version)
        return self._again(stream, lambda: self._requirement(stream, command, self._defaults()))

    def withdraw(self, requirement: Ref, reason: str, principal: Principal, version: int | None) -> Ordered:
        """Let a requirement no longer hold. Raises NotFound, VersionRequired, VersionConflict, Refused."""
        may(principal, "issue_requirement")
        command = WithdrawRequirement(requirement, reason, principal.name, version)
        return self._requirement(f"requirements/{requirement}", command, ())

    def specification(self, text: SpecText, principal: Principal) -> Ordered:
        """Issue a specification for the first time. Later revisions follow from proposals, so that each names its
        evidence and is announced: raises Refused for a specification that exists.
        """
        may(principal, "issue_spec")
        stream = f"specs/{text.spec}"
        state = specs.fold(self.log.read_stream(stream))
        if state.current is not None:
            raise Refused(
                f"The specification {text.spec} exists at revision {state.version}. It is revised by a proposal, which "
                "is decided and announced: POST /v1/proposals.",
                revision=state.version,
            )
        (model,) = specs.decide(state, WriteSpec(text.model_copy(update={"case": None, "round": None}), principal.name))
        return self._write(stream, model, 0, ())

    def policy(self, text: Policy, principal: Principal, version: int | None = None) -> Ordered:
        """Issue the policy, or revise it whole. Raises VersionRequired, VersionConflict, Invalid."""
        stream = f"policies/{text.policy}"
        state = texts.fold(self.log.read_stream(stream))
        may(principal, "revise_policy" if state.version else "issue_policy")
        (model,) = policies.decide(state, WritePolicy(text, principal.name, version))
        return self._write(stream, model, state.version, ())

    def propose(self, own: OwnProposal, principal: Principal) -> Ordered:
        """Open a case for a person's own proposal, with its first round. Raises Invalid."""
        may(principal, "propose")
        case, now = str(uuid4()), self.log.clock()
        policy = texts.fold(self.log.read_stream(POLICY_STREAM))
        rules = policies.policy_of(policy)
        effectivity = own.effectivity or Effectivity(date=(now + timedelta(days=rules.effective_after_days)).date())
        content = Content(
            title=own.title,
            conclusion="manual",
            revisions=tuple(self._with_old(revision) for revision in own.revisions),
            effectivity=effectivity,
            safety=self._is_safety(own.requirement),
            evidence=Evidence(
                position=self.log.head(),
                method="manual",
                policy=rules.policy,
                policy_version=policy.version,
                notes=(own.reason,),
            ),
        )
        opening = OpenCase(case, "manual", own.title, own.requirement, own.item, tuple(own.suppliers))
        opened = proposals.decide(proposals.INITIAL, opening, rules)
        state = replace(proposals.INITIAL, case=case, kind="manual", state="open", version=1, stream_version=1)
        proposed = proposals.decide(state, Propose(case, content, principal.name, now), rules)
        models = (*opened, *proposed)
        drafts = tuple(draft(model, id=uuid4(), origin=self._origin(case)) for model in models)
        outcomes = self.log.append(Append(drafts, {f"proposals/{case}": 0}))
        return Ordered(models[0], 2, _last([outcome.position for outcome in outcomes]))

    def _is_safety(self, requirement: Ref | None) -> bool:
        """Whether the requirement behind a proposal is one of safety: loosening then takes more than one approval."""
        stream = [] if requirement is None else self.log.read_stream(f"requirements/{requirement}")
        return bool((texts.fold(stream).text or {}).get("safety"))

    def _with_old(self, revision: ProposedRevision) -> ProposedRevision:
        """The revision with the limits and sourcing that now stand as its old ones."""
        current = specs.fold(self.log.read_stream(f"specs/{revision.spec}")).current or {}
        limits = {item["characteristic"]: item["limits"] for item in current.get("limits") or ()}
        content: dict[str, Any] = {**revision.model_dump(mode="json"), "old": limits.get(revision.characteristic)}
        return ProposedRevision.model_validate(content)

    def _again(self, stream: str, call: Callable[[], Ordered]) -> Ordered:
        """The call; once more when somebody else issued the defaults in between."""
        for _ in range(TRIES):
            try:
                return call()
            except (IdentityConflict, VersionConflict) as error:
                if error.facts.get("stream", "") == stream:
                    raise
        return call()

    def _requirement(
        self, stream: str, command: WriteRequirement | WithdrawRequirement, also: Sequence[Default]
    ) -> Ordered:
        state = texts.fold(self.log.read_stream(stream))
        (model,) = requirements.decide(state, command)
        return self._write(stream, model, state.version, also)

    def _defaults(self) -> tuple[Default, ...]:
        streams = select(log_events.c.stream).where(of_types(SENSITIVITIES)).distinct()
        with self.log.database.connect() as connection:
            known = {str(stream).partition("/")[2] for stream in connection.scalars(streams)}
        return defaults(policy_exists=bool(self.log.read_stream(POLICY_STREAM)), sensitivities=known)

    def _write(self, stream: str, model: BaseModel, version: int, also: Sequence[Default]) -> Ordered:
        """One append: the event at the expected version of its stream, and the defaults at none of theirs."""
        origin = self._origin(None)
        others = [draft(other, id=default_id(other), origin=origin) for other in also]
        first = draft(model, id=uuid4(), origin=origin)
        expected = {stream: version, **_unwritten(others)}
        outcomes = self.log.append(Append((*others, first), expected))
        return Ordered(model, version + 1, _last([outcome.position for outcome in outcomes]))

    def _origin(self, correlation: str | None) -> Origin:
        return Origin(SOURCE, utc_text(self.log.clock()), correlation=correlation, trace=tracing.current())


def _unwritten(drafts: Sequence[Draft]) -> dict[str, int]:
    return {item.stream: 0 for item in drafts}


def _last(positions: Sequence[int | None]) -> int:
    return max((position or 0 for position in positions), default=0)


def text_of(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Stored data with the references under these names as `issuer:id`."""
    return {key: ref_text(value) if key in names and value is not None else value for key, value in data.items()}


def subject_of(model: BaseModel) -> str:
    """The thing that an event is about, as `issuer:id` or a case's id."""
    return str(getattr(model, line_of(type(model)).key))
