"""What wakes the decider, and how far it has got: facts, policies and human decisions, never its own events."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text, update

from events.catalogue import CATALOGUE, LEDGER, stored_types, type_of
from events.envelope import Recorded
from events.rules import assessments, notices, proposals
from services.engine.book import events_of
from services.store.tables import log_events, of_types, projection_checkpoints

NAME = "decider"
OWN = stored_types(
    {
        type_of(assessments.LotAssessed),
        type_of(proposals.CaseOpened),
        type_of(proposals.RevisionProposed),
        type_of(proposals.EvidenceRefreshed),
        type_of(proposals.ProposalWithdrawn),
        type_of(proposals.CaseReopened),
        type_of(proposals.CommentAdded),
        type_of(notices.NoticeIssued),
    }
)
"""What the engine writes, and what says nothing new; access and ledger events neither."""
WAKES = frozenset(line.type for line in CATALOGUE.values() if line.stream not in {"access", LEDGER}) - OWN
LOT_FACTS = frozenset(line.type for line in CATALOGUE.values() if line.stream == "lots")
SPECS = frozenset(line.type for line in CATALOGUE.values() if line.stream == "specs")
ANSWERS = stored_types({type_of(notices.NoticeAnswered)})


@dataclass(frozen=True, slots=True)
class Woken:
    """What happened since the last turn: lots with new papers, whether specifications changed, answers to notices."""

    anything: bool
    lots: tuple[str, ...]
    specs: bool
    answers: tuple[Recorded, ...]


def woken(connection: Connection, after: int, until: int) -> Woken:
    """What happened after one position and up to another, as far as it concerns the decider."""
    table = log_events
    query = (
        select(table.c.type, table.c.stream)
        .where(table.c.position > after, table.c.position <= until, of_types(WAKES))
        .distinct()
    )
    seen = connection.execute(query).all()
    lots = sorted({row.stream.partition("/")[2] for row in seen if row.type in LOT_FACTS})
    answered = events_of(connection, ANSWERS, after, until) if any(row.type in ANSWERS for row in seen) else []
    return Woken(bool(seen), tuple(lots), any(row.type in SPECS for row in seen), tuple(answered))


def checkpoint(connection: Connection) -> int:
    """The position up to which everything was concluded."""
    table = projection_checkpoints
    found = connection.execute(select(table.c.position).where(table.c.name == NAME)).scalar()
    return 0 if found is None else int(found)


def move(connection: Connection, position: int) -> None:
    """Everything up to this position was concluded; never backwards."""
    table = projection_checkpoints
    connection.execute(text("SELECT pg_advisory_xact_lock(7031990004)"))
    moved = connection.execute(
        update(table).where(table.c.name == NAME, table.c.position < position).values(position=position)
    )
    if not moved.rowcount and connection.execute(select(table.c.name).where(table.c.name == NAME)).first() is None:
        values = {"name": NAME, "generation": 1, "version": 1, "position": position, "live": True}
        connection.execute(insert(table).values(**values))
