"""The decider: wakes when something new is folded, asks inference and the rules, and appends what they say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from pydantic import BaseModel
from sqlalchemy import Connection

from events.catalogue import line_of
from events.envelope import Draft, Recorded, utc_text
from events.errors import DomainError, IdentityConflict, Refused, VersionConflict
from events.facts.base import EventRef
from events.ids import case_id, conclusion_id
from events.receive import Origin, draft
from events.refs import parse_ref, ref_text
from events.rules import proposals
from events.rules.policies import Policy
from events.rules.proposals import INITIAL, CaseState, Command, Withdraw
from projections.inference.assess import assess, assess_change
from projections.inference.conclude import conclude
from services import tracing
from services.engine import traces
from services.engine.assessing import assessed
from services.engine.book import Book, read_book
from services.engine.loading import Loader
from services.engine.reopening import reopenings
from services.engine.waking import Woken, checkpoint, move, woken
from services.store import leases
from services.store.database import Database
from services.store.leases import Lease
from services.store.log import Append, Log
from services.store.projecting.projector import Projector

SOURCE = "/services/engine"
BATCH = 500
"""How many assessments one append holds."""
SETTLE_S = 0.7
PATIENCE_S = 20.0
"""A log that still grows is waited for this long since its last event, and no longer than this in all."""
TROUBLES = (DomainError, ArithmeticError, ValueError, KeyError, TypeError)
"""What one requirement may fail with without stopping the others; a database error ends the turn."""

_words = structlog.get_logger("decider")
Clock = Callable[[], datetime]


class Decider:
    """Concludes from what the projections hold, and appends it. Any number may run: a lease decides whose turn."""

    def __init__(
        self,
        database: Database,
        log: Log,
        projector: Projector,
        clock: Clock,
        *,
        settle_s: float = SETTLE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.database = database
        self.log = log
        self.projector = projector
        self.clock = clock
        self.settle_s = settle_s
        self.patience_s = patience_s
        self.loader = Loader(log, projector)
        self.lease: Lease | None = None
        self._head = 0
        self._grew: datetime | None = None
        self._waiting: datetime | None = None

    def decided(self) -> int:
        """The position up to which everything was concluded."""
        with self.database.connect() as connection:
            return checkpoint(connection)

    def decide_once(self) -> int:
        """One turn: conclude from everything up to the position that all projections reached; events appended.

        Does nothing while another process decides, while nothing new is folded, or while the log still grows. A
        conflict with somebody who wrote meanwhile leaves the rest to the next turn, and so does a crash: what was
        concluded already is not written again.
        """
        reached = self.projector.position()
        with self.database.connect() as connection:
            after = checkpoint(connection)
        if reached <= after or not self._settled():
            return 0
        self.lease = leases.take(self.database, "decider", self.projector.owner)
        if self.lease is None:
            return 0
        try:
            with self.projector.standing_still() as reached, self.database.connect() as connection:
                news = woken(connection, after, reached)
                appended = self._turn(news, reached) if news.anything else 0
        except (VersionConflict, IdentityConflict) as conflict:
            _words.info("somebody wrote meanwhile; concluding again", reason=conflict.detail)
            return 0
        with self.database.begin() as connection:
            leases.check(connection, self.lease)
            move(connection, reached)
        self._waiting = None
        return appended

    def _settled(self) -> bool:
        """The log has stood still for a moment, or was waited for long enough."""
        now, head = self.clock(), self.log.head()
        if head != self._head or self._grew is None:
            self._head, self._grew = head, now
        self._waiting = self._waiting or now
        still = (now - self._grew).total_seconds() >= self.settle_s
        return still or (now - self._waiting).total_seconds() >= self.patience_s

    def _turn(self, news: Woken, position: int) -> int:
        with self.database.connect() as connection:
            book = read_book(connection, position)
        appended = 0
        for case, commands in self._commands(book, position):
            appended += self._command(case, commands, book.policy)
        with self.database.connect() as connection:
            appended += self._reopen(connection, news, book)
            drafts = assessed(connection, self.projector, book, news, Origin(SOURCE, utc_text(self.clock())))
        for start in range(0, len(drafts), BATCH):
            appended += self._append(drafts[start : start + BATCH], {})
        return appended

    def _commands(self, book: Book, position: int) -> Iterator[tuple[CaseState, tuple[Command, ...]]]:
        """What is asked of each case: those of source changes first, then those of requirements."""
        with self.database.connect() as connection:
            changes = self.loader.changes(connection, book, position, self.clock())
        for change in changes:
            yield next(iter(change.cases.values())), assess_change(change, book.policy)
        for name, text in sorted(book.requirements.items()):
            if not text.in_force:
                yield from self._withdrawn(book, name)
                continue
            try:
                found = self._requirement(book, name, position)
            except TROUBLES as trouble:
                # One requirement that cannot be concluded on must not silence the others; the log says which.
                _words.error("no conclusion", requirement=name, error=f"{type(trouble).__name__}: {trouble}")
                continue
            if found is not None:
                yield found

    def _requirement(self, book: Book, name: str, position: int) -> tuple[CaseState, tuple[Command, ...]] | None:
        with self.database.connect() as connection:
            state = self.loader.requirement(connection, book, name, position, self.clock())
            if state is None:
                return None
            found = conclude(state, book.policy)
            if found.verdicts:
                results = self.loader.results(connection, state, [item.lot for item in found.verdicts])
                state = replace(state, results=results)
        return next(iter(state.cases.values()), INITIAL), assess(state, book.policy, found)

    def _withdrawn(self, book: Book, name: str) -> Iterator[tuple[CaseState, tuple[Command, ...]]]:
        """A requirement that no longer holds takes its open proposal with it."""
        motor_type = ref_text((book.requirements[name].text or {})["motor_type"])
        with self.database.connect() as connection:
            registered = self.loader.motor_type(connection, motor_type)
        item = registered.magnet_item if registered else None
        case = self.loader.case(case_id(parse_ref(name), parse_ref(item) if item else None))
        if case.decidable:
            yield case, (Withdraw(case.case, "The requirement was withdrawn."),)

    def _reopen(self, connection: Connection, news: Woken, book: Book) -> int:
        appended = 0
        for case, command in reopenings(connection, self.loader, book, news.answers):
            appended += self._command(case, (command,), book.policy)
        return appended

    def _command(self, case: CaseState, commands: Sequence[Command], policy: Policy) -> int:
        """Append what the rules make of the commands on one case, in one append at the version it had.

        It carries on the trace of what it follows from: of the newest result in the evidence, or of the answer.
        """
        with tracing.carried_on(traces.of_commands(self.log, commands)):
            appended = self._concluded(case, commands, policy)
            if appended:
                _words.info("concluded", case=commands[0].case, events=appended)
        return appended

    def _concluded(self, case: CaseState, commands: Sequence[Command], policy: Policy) -> int:
        version, now = case.stream_version, utc_text(self.clock())
        drafts: list[Draft] = []
        for command in commands:
            try:
                models = proposals.decide(case, command, policy)
            except Refused as refusal:
                _words.info("left as it is", case=command.case, reason=refusal.detail)
                break
            for model in models:
                made = self._draft(model, command.case, case.stream_version, now)
                drafts.append(made)
                case = proposals.evolve(case, _as_recorded(made, model, now))
        if not drafts:
            return 0
        return self._append(drafts, {drafts[0].stream: version})

    def _draft(self, model: BaseModel, case: str, version: int, now: str) -> Draft:
        """Its id follows from the case, its version and the kind: concluded twice, it is one event."""
        identity = conclusion_id(f"{case}/{version}", line_of(type(model)).name, "engine")
        cause = getattr(model, "cause", None)
        causation = cause.id if isinstance(cause, EventRef) else None
        return draft(model, id=identity, origin=Origin(SOURCE, now, case, causation, tracing.current()))

    def _append(self, drafts: Sequence[Draft], expected: dict[str, int]) -> int:
        outcomes = self.log.append(Append(tuple(drafts), expected))
        return sum(outcome.status == "accepted" for outcome in outcomes)


def _as_recorded(made: Draft, model: BaseModel, now: str) -> Recorded:
    """The draft as the case's own evolve reads it, before it has a position."""
    event = made.event
    return Recorded(
        type=made.type,
        source=made.source,
        id=made.id,
        subject=str(event["subject"]),
        time=now,
        recorded_time=now,
        stream=made.stream,
        partition_key=str(event["partitionkey"]),
        parsed=model.model_dump(mode="json"),
    )
