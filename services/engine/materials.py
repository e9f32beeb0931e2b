"""Loading the materials behind magnet lots: ancestors, links that count, measurements, recorded changes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from projections.folds import certificates, genealogy
from projections.folds.genealogy.trace import CYCLE, counting
from projections.inference.state import Change, EventId, Link, Lot, Measurement, Plant
from services.engine.book import Book
from services.engine.reading import rows_among
from services.store.projecting.projector import Projector


def load_plant(
    connection: Connection, projector: Projector, book: Book, item: str | None, lots: Iterable[str]
) -> Plant:
    """These magnet lots and all that they were made from, and what rules for their item."""
    magnets = set(lots)
    links = ancestry(connection, projector, magnets)
    names = magnets | {link.parent for link in links} | {link.child for link in links}
    found = rows_among(connection, projector.table(genealogy.Lot), genealogy.Lot, "lot", names)
    known = {row.lot: lot_of(row) for row in found if row.level is not None}
    measured = rows_among(
        connection, projector.table(certificates.LotMeasurement), certificates.LotMeasurement, "lot", names
    )
    suppliers = {lot.supplier for lot in known.values()}
    return Plant(
        known,
        tuple(link_of(row) for row in counting(links)),
        tuple(measurement_of(row) for row in measured),
        load_changes(connection, projector, suppliers),
        book.in_force(item) if item else (),
        book.edges,
    )


def ancestry(connection: Connection, projector: Projector, lots: Iterable[str]) -> list[genealogy.LotLink]:
    """Every link upwards from these lots, level by level."""
    seen, found = set(lots), list[genealogy.LotLink]()
    frontier = set(seen)
    while frontier:
        level = rows_among(connection, projector.table(genealogy.LotLink), genealogy.LotLink, "child", frontier)
        found += level
        frontier = {link.parent for link in level} - seen
        seen |= frontier
    return found


def load_changes(connection: Connection, projector: Projector, suppliers: Iterable[str]) -> tuple[Change, ...]:
    """The changes that these suppliers recorded, each with the evidence recorded for it."""
    table = projector.table(genealogy.SourceChange)
    held = rows_among(connection, projector.table(genealogy.Evidence), genealogy.Evidence, "supplier", suppliers)
    return tuple(
        change_of(row, [one for one in held if one.supplier == row.supplier and one.change == row.change])
        for row in rows_among(connection, table, genealogy.SourceChange, "supplier", suppliers)
    )


def change_of(row: genealogy.SourceChange, held: Sequence[genealogy.Evidence]) -> Change:
    """A recorded change as inference takes it."""
    return Change(
        EventId(row.event_source, row.event_id), row.change, row.supplier, row.site, row.level, row.kind, row.before,
        row.after, row.first_lot, row.time, row.item, tuple(f"{one.standard} {one.scope}" for one in held), row.origin,
    )  # fmt: skip


def lot_of(row: genealogy.Lot) -> Lot:
    """A lot as inference takes it."""
    return Lot(
        row.lot, str(row.level), str(row.supplier), str(row.site), str(row.produced_at), row.item, row.origin,
        row.withdrawn, row.incomplete, _event(row),
    )  # fmt: skip


def link_of(judged: Any) -> Link:
    """A link with its verdict: composition may be joined over segregated links, nothing over a cycle."""
    link = judged.link
    composition = link.composition_counts and judged.why != CYCLE
    return Link(link.child, link.parent, link.fraction, link.custody_model, judged.counts, composition)


def measurement_of(row: certificates.LotMeasurement) -> Measurement:
    """A measurement in force as inference takes it."""
    return Measurement(
        row.lot, row.characteristic, row.value, row.u, row.statistic, row.temperature_Cel, row.kind, row.laboratory,
        row.n, row.time, EventId(row.event_source, row.event_id),
    )  # fmt: skip


def _event(row: genealogy.Lot) -> EventId | None:
    return EventId(row.event_source, row.event_id) if row.event_source and row.event_id else None


def day(moment: datetime) -> str:
    """The date in UTC."""
    return moment.astimezone(UTC).date().isoformat()
