"""The review decision call: one append holds the decision and, with the last approval, all that it brings about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import structlog
from pydantic import BaseModel
from sqlalchemy import select

from events.envelope import Draft, utc_text
from events.errors import Invalid, NotFound
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.refs import Ref, parse_ref, ref_text
from events.rules import policies, proposals, specs
from events.rules.access import Principal, may
from events.rules.enactment import Enactment, enact, specs_of
from events.rules.policies import Policy
from events.rules.proposals import Amend, AmendedLimit, Approve, CaseState, Comment, Defer, Reject
from projections.folds.genealogy import Lot
from services import tracing
from services.engine import traces
from services.store.log import Append, Companion, Log, Outcome
from services.store.projecting.projector import Projector

SOURCE = "/services/review"
POLICY_STREAM = f"policies/{Policy().policy}"
Decision = Literal["approve", "amend", "reject", "defer"]

_words = structlog.get_logger("review")


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision brought about: the case's version and state, revisions and notices, and the log position."""

    proposal: str
    version: int
    state: str
    revisions: tuple[tuple[str, int], ...]
    notices: tuple[str, ...]
    position: int


class Desk:
    """Where reviewers decide. States are folded from the log's streams, so a decision sees every event before it."""

    def __init__(self, log: Log, projector: Projector) -> None:
        self.log = log
        self.projector = projector

    def decide(
        self,
        case: str,
        decision: Decision,
        version: int | None,
        principal: Principal,
        reason: str,
        limits: Sequence[AmendedLimit] = (),
        until: datetime | None = None,
        companions: Sequence[Companion] = (),
    ) -> Decided:
        """Approve, amend, reject or defer the open proposal of a case, at the version that the caller saw.

        `companions` are written in the same transaction. Raises NotFound, Forbidden, VersionRequired,
        VersionConflict (also when the case or a specification moved on meanwhile), Refused, Invalid.
        """
        may(principal, decision)
        state = self.case(case)
        policy = self.policy()
        if decision == "approve":
            return self._approve(state, Approve(case, principal.name, reason, version), policy, companions)
        command: Amend | Reject | Defer
        if decision == "amend":
            command = Amend(case, principal.name, reason, tuple(limits), version)
        elif decision == "reject":
            command = Reject(case, principal.name, reason, version)
        elif decision == "defer":
            command = Defer(case, principal.name, reason, version, until)
        else:
            raise Invalid(f"'{decision}' is no decision; write approve, amend, reject or defer.")
        models = proposals.decide(state, command, policy)
        return self._write(state, models, decision, principal.name, companions)

    def comment(self, case: str, principal: Principal, text: str) -> Decided:
        """Say something on the case; changes nothing. Raises NotFound, Forbidden, Invalid."""
        may(principal, "comment")
        state = self.case(case)
        models = proposals.decide(state, Comment(case, principal.name, text), self.policy())
        return self._write(state, models, "comment", principal.name, ())

    def case(self, case: str) -> CaseState:
        """The case as all its events leave it. Raises NotFound."""
        state = proposals.fold(self.log.read_stream(f"proposals/{case}"))
        if state.state == "none":
            raise NotFound(f"There is no case '{case}'.")
        return state

    def policy(self) -> Policy:
        """The policy in force."""
        return policies.policy_of(policies.fold(self.log.read_stream(POLICY_STREAM)))

    def recipients(self, spec: specs.SpecState, case: CaseState) -> tuple[Ref, ...]:
        """The parties that a specification may bind: those it names, else all who delivered lots of its item."""
        first = spec.current
        item = case.item
        if first is not None:
            if first.get("suppliers"):
                return tuple(Ref.model_validate(party) for party in first["suppliers"])
            item = ref_text(first["item"])
        table = self.projector.table(Lot)
        query = select(table.c.supplier).where(table.c.item == item, table.c.supplier.is_not(None)).distinct()
        with self.log.database.connect() as connection:
            found = connection.execute(query.order_by(table.c.supplier)).scalars().all()
        return tuple(parse_ref(party) for party in found)

    def _approve(self, state: CaseState, approval: Approve, policy: Policy, companions: Sequence[Companion]) -> Decided:
        names = specs_of(state)
        current = {name: specs.fold(self.log.read_stream(f"specs/{name}")) for name in names}
        recipients = {name: self._recipients(name, current[name], state) for name in names}
        enactment = enact(state, approval, current, policy, recipients, self.log.clock().date())
        asked = tracing.current()
        with tracing.carried_on(traces.of_case(self.log, case=state.case) if enactment.enacted else None):
            drafts = self._drafts(enactment, state.case, asked)
            outcomes = self.log.append(Append(drafts, enactment.expected, tuple(companions)))
            if enactment.enacted:
                revisions, notices = len(enactment.revisions), len(enactment.notices)
                _words.info("enacted", case=state.case, revisions=revisions, notices=notices)
        return self._answer(enactment.models, state.case, outcomes)

    def _recipients(self, name: str, spec: specs.SpecState, state: CaseState) -> tuple[Ref, ...]:
        """For a new specification with a scope of its own, the proposal names who it binds."""
        if spec.current is None:
            scope = [
                Ref.model_validate(party)
                for item in (state.proposal or {}).get("revisions", ())
                if ref_text(item["spec"]) == name
                for party in item.get("suppliers") or ()
            ]
            if scope:
                return tuple(dict.fromkeys(scope))
        return self.recipients(spec, state)

    def _drafts(self, enactment: Enactment, case: str, asked: str | None) -> tuple[Draft, ...]:
        """The approval in the trace of its own request; what it brings about in that of the evidence behind it."""
        first = Origin(SOURCE, utc_text(self.log.clock()), correlation=case, trace=asked)
        origin = replace(first, causation=str(enactment.ids[0]), trace=tracing.current())
        return tuple(
            draft(model, id=identity, origin=first if number == 0 else origin)
            for number, (model, identity) in enumerate(zip(enactment.models, enactment.ids, strict=True))
        )

    def _write(
        self,
        state: CaseState,
        models: Sequence[BaseModel],
        kind: str,
        by: str,
        companions: Sequence[Companion],
    ) -> Decided:
        now = utc_text(self.log.clock())
        origin = Origin(SOURCE, now, correlation=state.case, trace=tracing.current())
        cause = f"{state.case}/{state.stream_version}"
        drafts = tuple(draft(model, id=conclusion_id(cause, kind, by), origin=origin) for model in models)
        request = Append(drafts, {f"proposals/{state.case}": state.stream_version}, tuple(companions))
        return self._answer(models, state.case, self.log.append(request))

    def _answer(self, models: Sequence[BaseModel], case: str, outcomes: Sequence[Outcome]) -> Decided:
        state = self.case(case)
        return Decided(
            case,
            state.version,
            state.state,
            tuple((str(model.spec), model.revision) for model in models if isinstance(model, specs.Spec)),
            tuple(model.notice for model in models if hasattr(model, "notice")),
            max((outcome.position or 0 for outcome in outcomes), default=0),
        )
