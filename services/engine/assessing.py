"""Assessing papers: lots with new measurements, and all lots of an item whose specifications changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from events.envelope import Draft
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.refs import ref_text
from events.rules.assessments import LotAssessed
from projections.folds import genealogy
from projections.inference.assessments import assess_lots
from services.engine.book import Book
from services.engine.materials import ancestry, load_plant
from services.engine.reading import chunks, rows_among
from services.engine.traces import of_events
from services.engine.waking import Woken
from services.store.projecting.projector import Projector
from services.store.tables import identity_key, log_identity


def assessed(
    connection: Connection, projector: Projector, book: Book, news: Woken, origin: Origin
) -> tuple[Draft, ...]:
    """The assessments that are not in the log yet.

    A lot with new papers is assessed, and so are the magnet lots made from it (their item tells which limits hold)
    and their ancestors; a changed specification assesses all lots of its item.
    """
    items = {spec.item for spec in book.revisions(_items(book))} if news.specs else set()
    magnets = _magnets(connection, projector, news.lots, items)
    found: list[tuple[str, LotAssessed]] = []
    for item in sorted({str(row.item) for row in magnets}):
        mine = [row.lot for row in magnets if row.item == item]
        plant = load_plant(connection, projector, book, item, mine)
        wanted = plant.lots if item in items else _with_papers(connection, projector, mine, news.lots)
        for one in assess_lots(plant, book.revisions((item,)), wanted, book.policy):
            found.append((_identity(one), one))
    known = _written(connection, [identity for identity, _ in found], origin.source)
    fresh = {identity: one for identity, one in found if identity not in known}
    traced = of_events(connection, [one.certificate for one in fresh.values()])
    return tuple(
        draft(one, id=identity, origin=replace(origin, causation=one.certificate.id, trace=traced.get(_paper(one))))
        for identity, one in sorted(fresh.items())
    )


def _paper(one: LotAssessed) -> tuple[str, str]:
    return one.certificate.source, one.certificate.id


def _items(book: Book) -> list[str]:
    return sorted({ref_text(text["item"]) for state in book.specs.values() for text in state.revisions})


def _magnets(connection: Connection, projector: Projector, lots: Sequence[str], items: set[str]) -> list[genealogy.Lot]:
    """The magnet lots that these lots became, themselves included, and all of these items."""
    table, links = projector.table(genealogy.Lot), projector.table(genealogy.LotLink)
    reached, frontier = set(lots), set(lots)
    while frontier:
        below = rows_among(connection, links, genealogy.LotLink, "parent", frontier)
        frontier = {link.child for link in below} - reached
        reached |= frontier
    found = rows_among(connection, table, genealogy.Lot, "lot", reached, table.c.item.is_not(None))
    found += rows_among(connection, table, genealogy.Lot, "item", items)
    return list({row.lot: row for row in found}.values())


def _with_papers(connection: Connection, projector: Projector, magnets: Iterable[str], lots: Sequence[str]) -> set[str]:
    links = ancestry(connection, projector, magnets)
    behind = set(magnets) | {link.parent for link in links}
    return behind & set(lots)


def _identity(one: LotAssessed) -> str:
    """One assessment for each certificate, limit and revision, whenever it is made."""
    cause = f"{one.certificate.source}#{one.certificate.id}"
    key = f"{one.lot}|{one.spec}|{one.revision}|{one.characteristic}|{one.statistic}"
    return str(conclusion_id(cause, "lot_assessed", key))


def _written(connection: Connection, ids: Sequence[str], source: str) -> set[str]:
    table = log_identity
    known: set[str] = set()
    for chunk in chunks(list(ids)):
        keys = {identity_key(source, id): id for id in chunk}
        query = select(table.c.key).where(table.c.key.in_(list(keys)))
        known |= {keys[key] for key in connection.execute(query).scalars()}
    return known
