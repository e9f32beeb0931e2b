"""Answers that reopen a case: the notice behind the answer, its case, and the supply that remains."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from events.catalogue import type_of
from events.envelope import Recorded
from events.facts.base import EventRef
from events.refs import ref_text
from events.rules.notices import NoticeIssued
from events.rules.proposals import CaseState, Reopen
from projections.folds import genealogy
from projections.inference.answers import REOPENS, reopen
from projections.inference.chain.properties import properties
from services.engine.book import Book
from services.engine.loading import Loader
from services.engine.materials import load_plant
from services.engine.reading import rows


def reopenings(
    connection: Connection, loader: Loader, book: Book, answers: Sequence[Recorded]
) -> Iterator[tuple[CaseState, Reopen]]:
    """The cases that these answers reopen, with the command; each case once."""
    done: set[str] = set()
    for answer in answers:
        if answer.data["answer"] not in REOPENS:
            continue
        notice = _notice(loader, answer)
        if notice is None or not notice.data.get("case") or notice.data["case"] in done:
            continue
        case = loader.case(notice.data["case"])
        item = ref_text(notice.data["item"])
        table = loader.projector.table(genealogy.Lot)
        made = rows(connection, table, genealogy.Lot, table.c.item == item, table.c.level == "magnet")
        plant = load_plant(connection, loader.projector, book, item, [row.lot for row in made])
        lots = [plant.lots[row.lot] for row in made if row.lot in plant.lots]
        known = properties(plant, [lot.lot for lot in lots], book.policy.certificate_uncertainty_relative)
        command = reopen(answer.data, notice.data, EventRef(source=answer.source, id=answer.id), case, lots, known)
        if command is not None:
            done.add(case.case)
            yield case, command


def _notice(loader: Loader, answer: Recorded) -> Recorded | None:
    for event in loader.log.read_stream(answer.stream):
        if event.type == type_of(NoticeIssued) and event.data["notice"] == answer.data["notice"]:
            return event
    return None
