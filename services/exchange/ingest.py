"""Ingest: the one way in for events from outside, whether posted or imported; answers each event by itself."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import orjson
from msgspec import structs

from events.envelope import Draft
from events.errors import DomainError, IdentityConflict
from events.receive import Received, receive
from events.rules.access import Principal, may_post
from events.sameness import same_fact
from services.exchange.problems import problem
from services.exchange.quarantine import Quarantine
from services.exchange.waiting import Waiting
from services.store.log import Append, Log, Outcome

CHUNK = 1000
Status = Literal["accepted", "duplicate", "rejected"]


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one event: `waiting` means that its motor has no build record yet; `problem` says why not."""

    index: int
    id: str | None
    status: Status
    waiting: bool = False
    position: int | None = None
    problem: Mapping[str, Any] | None = None

    def answer(self) -> dict[str, Any]:
        """The item as the door answers it; a conflict shows both hashes beside its problem."""
        body: dict[str, Any] = {
            "index": self.index,
            "id": self.id,
            "status": self.status,
            "waiting": self.waiting,
            "position": self.position,
            "problem": self.problem,
        }
        for name in ("stored_hash", "received_hash"):
            if self.problem and name in self.problem:
                body[name] = self.problem[name]
        return body


@dataclass(slots=True)
class Answer:
    """The answer to a batch; `position` is the highest that one of its events has in the log."""

    items: list[Item] = field(default_factory=list)

    def count(self, status: Status) -> int:
        return sum(item.status == status for item in self.items)

    @property
    def waiting(self) -> int:
        return sum(item.waiting for item in self.items)

    @property
    def position(self) -> int | None:
        return max((item.position for item in self.items if item.position is not None), default=None)

    def answer(self) -> dict[str, Any]:
        """The whole answer of design.md §6: accepted + duplicate + rejected = items."""
        return {
            "accepted": self.count("accepted"),
            "duplicate": self.count("duplicate"),
            "rejected": self.count("rejected"),
            "waiting": self.waiting,
            "position": self.position,
            "items": [item.answer() for item in self.items],
        }


@dataclass(frozen=True, slots=True)
class Ingest:
    """Checks, appends, and keeps what was refused. `timed` is told the seconds of every append."""

    log: Log
    waiting: Waiting
    quarantine: Quarantine
    timed: Callable[[float], None] = lambda seconds: None

    def __call__(self, events: Iterable[object], principal: Principal, *, dry_run: bool = False) -> Answer:
        """Take these events in, as parsed from JSON; a DomainError in place of an event is refused as that.

        Each chunk of at most 1000 is one append. With `dry_run` everything is checked and nothing is stored.
        """
        answer = Answer()
        for chunk in _chunks(events):
            start = len(answer.items)
            answer.items += self._chunk(chunk, start, principal, dry_run)
        return answer

    def _chunk(self, chunk: Sequence[object], start: int, principal: Principal, dry_run: bool) -> list[Item]:
        checked = [check(event, principal) for event in chunk]
        good = [item for item in checked if isinstance(item, Received)]
        drafts = [received.draft for received in good]
        outcomes = self.told_again(drafts, self._look(drafts) if dry_run else self._append(drafts))
        told = zip(good, outcomes, self._late(good, outcomes), strict=True)
        items = [
            _taken(start + at, *next(told)) if isinstance(item, Received) else _refused(start + at, chunk[at], item)
            for at, item in enumerate(checked)
        ]
        if not dry_run:
            refused = [(chunk[at], item.problem) for at, item in enumerate(items) if item.problem is not None]
            self.quarantine.keep(refused, principal)
        return items

    def _late(self, good: Sequence[Received], outcomes: Sequence[Outcome]) -> list[bool]:
        """For each, whether it was accepted and waits for its motor's build record."""
        accepted = [item for item, outcome in zip(good, outcomes, strict=True) if outcome.status == "accepted"]
        waits = iter(self.waiting.of(accepted, good))
        return [outcome.status == "accepted" and next(waits) for outcome in outcomes]

    def _append(self, drafts: Sequence[Draft]) -> Sequence[Outcome]:
        if not drafts:
            return ()
        started = time.perf_counter()
        outcomes = self.log.append(Append(tuple(drafts), atomic=False))
        self.timed(time.perf_counter() - started)
        return outcomes

    def told_again(self, drafts: Sequence[Draft], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes; a conflict between two versions of one fact is a duplicate, for its sender was upgraded."""
        if all(outcome.status != "conflict" for outcome in outcomes):
            return list(outcomes)
        firsts: dict[tuple[str, str], tuple[Draft, Outcome]] = {}
        told = []
        for draft, outcome in zip(drafts, outcomes, strict=True):
            first, told_first = firsts.setdefault((draft.source, draft.id), (draft, outcome))
            if outcome.status == "conflict" and same_fact(self._stored(draft) or first.event, draft.event):
                outcome = structs.replace(outcome, status="duplicate", position=outcome.position or told_first.position)
            told.append(outcome)
        return told

    def _stored(self, draft: Draft) -> Mapping[str, Any] | None:
        """The event that has this identity in the log; None where it only came with this chunk."""
        found = self.log.find(draft.source, draft.id)
        body = None if found is None else self.log.body(found.position)
        return None if body is None else orjson.loads(body)

    def _look(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """What an append would answer, without appending."""
        seen: dict[tuple[str, str], tuple[int | None, bytes]] = {}
        outcomes = []
        for draft in drafts:
            identity = (draft.source, draft.id)
            if identity not in seen:
                found = self.log.find(*identity)
                if found is not None:
                    seen[identity] = (found.position, found.content_hash)
            if identity not in seen:
                seen[identity] = (None, draft.content_hash)
                outcomes.append(Outcome("accepted", None))
                continue
            position, stored = seen[identity]
            same = stored == draft.content_hash
            outcomes.append(Outcome("duplicate" if same else "conflict", position, stored))
        return outcomes


def _chunks(events: Iterable[object]) -> Iterator[list[object]]:
    rest = iter(events)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def check(event: object, principal: Principal) -> Received | DomainError:
    """The event as received, or why this principal may not say it; a DomainError in place of an event is told as it is.

    Nothing is asked of the database: an identity that is taken is found when it is appended.
    """
    try:
        if isinstance(event, DomainError):
            raise event
        received = receive(event)
        may_post(principal, received)
    except DomainError as error:
        return error
    return received


def _id(event: object) -> str | None:
    found = event.get("id") if isinstance(event, Mapping) else None
    return found if isinstance(found, str) else None


def _refused(index: int, event: object, error: DomainError) -> Item:
    return Item(index, _id(event), "rejected", problem=problem(error))


def _taken(index: int, received: Received, outcome: Outcome, waits: bool) -> Item:
    draft = received.draft
    if outcome.status != "conflict":
        return Item(index, draft.id, outcome.status, waits, outcome.position)
    return Item(index, draft.id, "rejected", problem=problem(conflicting(draft, outcome)))


def conflicting(draft: Draft, outcome: Outcome) -> IdentityConflict:
    """What to tell the sender of an event whose identity is taken by another payload."""
    return IdentityConflict(
        f"The event {draft.id} of {draft.source} is in the log with another payload. An event never changes: "
        "send the corrected fact under a new id, with `replaces` naming this one.",
        stored_hash=outcome.stored_hash,
        received_hash=draft.content_hash,
    )
