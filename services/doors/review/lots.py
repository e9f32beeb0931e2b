"""`/v1/lots`: lots at every level, with what is certified of them, and their way from the mine to the motors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, select

from events.catalogue import stored_types, type_of, upcast
from events.envelope import decode
from events.errors import NotFound
from events.refs import ref_text
from events.rules.assessments import LotAssessed
from projections.folds.certificates import LotMeasurement
from projections.folds.genealogy.rows import Lot, LotLink, MotorLot
from projections.folds.genealogy.trace import Traced, ancestors, descendants, motors_of
from services.doors.answers import Json
from services.doors.context import Here, reads
from services.doors.paging import Page, keyed
from services.doors.path import reference
from services.engine.reading import rows_among
from services.store.tables import log_events, of_types

router = APIRouter(prefix="/v1/lots", tags=["review"])
Reading = Annotated[Here, Depends(reads("read_lots"))]
Item = dict[str, Any]
_ASSESSED = sorted(stored_types([type_of(LotAssessed)]))


@router.get("", summary="Lots", response_model=Item)
def list_lots(
    here: Reading,
    page: Page,
    level: Annotated[str | None, Query(description="ore, concentrate, oxide, metal, alloy, powder or magnet.")] = None,
    item: Annotated[str | None, Query(description="Only lots of this item (issuer:id).")] = None,
    supplier: Annotated[str | None, Query(description="Only lots of this supplier (issuer:id).")] = None,
) -> Json:
    """Every lot that is known, by name."""
    table = here.table(Lot)
    query = select(table).where(table.c.level.is_not(None))
    for column, wanted in (("level", level), ("item", item and reference(item))):
        query = query if wanted is None else query.where(table.c[column] == wanted)
    if supplier is not None:
        query = query.where(table.c.supplier == reference(supplier))
    with here.connect() as connection:
        return Json(keyed(connection, query, [table.c.lot], page, lambda row: shown(row._mapping)))


@router.get("/{lot}", summary="One lot", response_model=Item)
def read_lot(here: Reading, lot: str) -> Json:
    """What was registered of the lot, the measurements in force, and how its certificates were assessed."""
    name = reference(lot)
    with here.connect() as connection:
        row = _row(here, connection, name)
        table = here.table(LotMeasurement)
        measured = connection.execute(
            select(table).where(table.c.lot == name).order_by(table.c.time, table.c.characteristic)
        )
        measurements = [shown(measurement) for measurement in measured.mappings()]
        assessments = _assessments(connection, name)
    return Json({**shown(row), "measurements": measurements, "assessments": assessments})


@router.get("/{lot}/trace", summary="A lot's way from the mine to the motors", response_model=Item)
def trace_lot(here: Reading, lot: str) -> Json:
    """Ancestors and descendants with mass fractions, and every motor with material of this lot.

    A link on a cycle, or whose custody model forbids it, counts nowhere and says why.
    """
    name = reference(lot)
    with here.connect() as connection:
        _row(here, connection, name)
        up = ancestors({name: 1.0}, links(here, connection, "child"))
        down = descendants(name, links(here, connection, "parent"))
        motors = motors_of(name, links(here, connection, "parent"), motor_lots(here, connection))
        known = named(here, connection, [item.lot for item in (*up, *down)])
    return Json(
        {
            "lot": name,
            "ancestors": [traced(item, known) for item in up],
            "descendants": [traced(item, known) for item in down],
            "motors": [asdict(item) for item in motors],
        }
    )


def links(here: Here, connection: Connection, column: str) -> Callable[[Sequence[str]], Iterable[LotLink]]:
    """The links whose child, or parent, is one of these lots."""
    table = here.table(LotLink)
    return lambda lots: rows_among(connection, table, LotLink, column, lots)


def motor_lots(here: Here, connection: Connection) -> Callable[[Sequence[str]], Iterable[MotorLot]]:
    """The motors with pieces of these lots."""
    table = here.table(MotorLot)
    return lambda lots: rows_among(connection, table, MotorLot, "lot", lots)


def named(here: Here, connection: Connection, lots: Sequence[str]) -> dict[str, Lot]:
    """What was registered of these lots."""
    return {row.lot: row for row in rows_among(connection, here.table(Lot), Lot, "lot", lots)}


def traced(item: Traced, known: Mapping[str, Lot]) -> Item:
    """A lot on the way, with its level, supplier and site where it is registered."""
    lot = known.get(item.lot)
    who = {name: getattr(lot, name, None) for name in ("level", "supplier", "site", "produced_at")}
    return {**asdict(item), **who}


def shown(row: Mapping[Any, Any]) -> Item:
    """A row with the event behind it under one name."""
    item = {str(name): value for name, value in row.items()}
    source, identity = item.pop("event_source", None), item.pop("event_id", None)
    return {**item, "event": {"source": source, "id": identity} if source else None}


def _row(here: Here, connection: Connection, name: str) -> Mapping[Any, Any]:
    table = here.table(Lot)
    row = connection.execute(select(table).where(table.c.lot == name)).mappings().one_or_none()
    if row is None or row["level"] is None:
        raise NotFound(f"There is no lot {name}.")
    return row


def _assessments(connection: Connection, name: str) -> list[Item]:
    """How the lot's certificates were assessed, oldest first; read from the lot's own stream."""
    table = log_events
    query = select(table.c.position, table.c.body).where(table.c.stream == f"assessments/{name}", of_types(_ASSESSED))
    found = []
    for row in connection.execute(query.order_by(table.c.position)):
        event = upcast(decode(row.position, bytes(row.body)))
        text = {**event.data, "lot": name, "spec": ref_text(event.data["spec"])}
        found.append({**text, "position": event.position, "time": event.time})
    return found
