"""Bringing: a batch of checked messages becomes one append, with what was refused and the cursors of its partitions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from kafka.structs import TopicPartition

from events.errors import DomainError, Invalid
from services.exchange.ingest import Ingest, conflicting
from services.store.log import Advance, Append, Conflicts, Outcome
from services.transports.kafka.ingress.cursors import Place
from services.transports.kafka.ingress.messages import Checked, companions, refused

BROKEN = (Invalid, psycopg.DataError, psycopg.IntegrityError)
"""What is the fault of a message itself, though its checks did not find it."""


@dataclass(slots=True)
class Brought:
    """What became of a batch: messages by outcome, and the last position in the log."""

    outcomes: Counter[str] = field(default_factory=Counter)
    position: int | None = None

    def count(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes.update(outcome.status for outcome in outcomes)
        places = [outcome.position for outcome in outcomes if outcome.position is not None]
        self.position = max([*places, self.position or 0], default=None) or None


def bring(ingest: Ingest, items: Sequence[Checked], places: Mapping[TopicPartition, Place]) -> Brought:
    """Append these messages, which stand in the order of their partitions, and move the cursors with them.

    Conflicts are known only under the log's lock: what is refused then is appended again as refused, so that nothing
    is lost however this ends. Raises CursorMoved when another member brought some of them, and Unavailable; then
    `places` says what was written.
    """
    brought = Brought()
    try:
        _append(ingest, list(items), places, brought)
    except BROKEN as error:
        if len(items) > 1:
            for half in (items[: len(items) // 2], items[len(items) // 2 :]):
                part = bring(ingest, half, places)
                brought.outcomes.update(part.outcomes)
                brought.position = part.position or brought.position
            return brought
        _append(ingest, [_unstorable(items[0], error)], places, brought)
    return brought


def _append(ingest: Ingest, items: list[Checked], places: Mapping[TopicPartition, Place], brought: Brought) -> None:
    told = 0
    while True:
        drafts = tuple([item.draft for item in items if item.draft is not None])
        kept = [row for item in items if item.refusal for row in companions(item, ingest.quarantine)]
        moves = _moves(items, places)
        try:
            outcomes = ingest.log.append(Append(drafts, companions=tuple(kept), advances=tuple(moves.values())))
        except Conflicts as conflicts:
            items, again = _without_conflicts(ingest, items, conflicts)
            told += again
            continue
        break
    for partition, move in moves.items():
        places[partition].next = move.to
    brought.count(outcomes)
    brought.outcomes["duplicate"] += told
    brought.outcomes["rejected"] += sum(item.refusal is not None for item in items)


def _moves(items: Sequence[Checked], places: Mapping[TopicPartition, Place]) -> dict[TopicPartition, Advance]:
    ends = {(item.record.topic, item.record.partition): item.record.offset + 1 for item in items}
    moves = ((TopicPartition(*at), to) for at, to in ends.items())
    return {at: Advance(places[at].name, places[at].next, to) for at, to in moves}


def _without_conflicts(ingest: Ingest, items: list[Checked], found: Conflicts) -> tuple[list[Checked], int]:
    """The messages, those that conflict refused; and how many of those told the same fact in two versions."""
    drafts = [item.draft for item in items if item.draft is not None]
    outcomes = iter(zip(found.outcomes, ingest.told_again(drafts, found.outcomes), strict=True))
    again, told = [], 0
    for item in items:
        if item.draft is None:
            again.append(item)
            continue
        first, meant = next(outcomes)
        if meant.status == "conflict":
            error = conflicting(item.draft, meant)
            item = item._replace(draft=None, refusal=refused(item.record, error, item.draft.event, item.whose))
        elif first.status == "conflict":
            item, told = item._replace(draft=None), told + 1
        again.append(item)
    return again, told


def _unstorable(item: Checked, error: DomainError | psycopg.Error) -> Checked:
    words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = error if isinstance(error, DomainError) else DomainError(f"The message cannot be stored: {words}.")
    return item._replace(draft=None, refusal=refused(item.record, reason, None, item.whose))
