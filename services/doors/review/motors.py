"""`/v1/motors`: one motor with all its results and why each counts or not, and its way back to the mine."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from msgspec.structs import asdict
from sqlalchemy import Connection, RowMapping, select

from events.errors import NotFound
from projections.folds.correlation.rows import MotorResults
from projections.folds.genealogy.rows import Motor, MotorLot
from projections.folds.genealogy.trace import ancestors, shares_of
from projections.folds.lifetimes import MotorLife
from services.doors.answers import Json
from services.doors.context import Here, reads
from services.doors.path import reference
from services.doors.review.lots import links, named, shown, traced
from services.engine.reading import rows

router = APIRouter(prefix="/v1/motors", tags=["review"])
Reading = Annotated[Here, Depends(reads("read_motors"))]
Item = dict[str, Any]


@router.get("/{serial}", summary="One motor", response_model=Item)
def read_motor(here: Reading, serial: str) -> Json:
    """Its build record, its results with what they count for, and its life; `waiting` while nothing says how it
    was built, `lots_unknown` when that is on record as unknown.
    """
    name = reference(serial)
    with here.connect() as connection:
        motor = _one(here, connection, Motor, name)
        tested = tested_motor(here, connection, name)
        life = _one(here, connection, MotorLife, name)
    if motor is None and tested is None and life is None:
        raise NotFound(f"There is no motor {name}.")
    built = bool(motor and motor["built"])
    return Json(
        {
            **(shown(motor) if motor else {"motor": name, "built": False}),
            "waiting": not built,
            "lots_unknown": built and motor is not None and motor["magnets"] is None,
            "results": _with_events(tested.tests, tested.test_events) if tested else [],
            "gone": [*(tested.gone if tested else ()), *(life["gone"] if life else ())],
            "life": _with_events(life["records"], life["record_events"]) if life else [],
        }
    )


@router.get("/{serial}/trace", summary="A motor's way back to the mine", response_model=Item)
def trace_motor(here: Reading, serial: str) -> Json:
    """Its magnet lots by pieces, and every lot that they came from with the share of the motor's magnet mass."""
    name = reference(serial)
    with here.connect() as connection:
        motor = _one(here, connection, Motor, name)
        if motor is None:
            raise NotFound(f"There is no motor {name}.")
        table = here.table(MotorLot)
        magnets = sorted(rows(connection, table, MotorLot, table.c.motor == name), key=lambda row: row.lot)
        up = ancestors(shares_of(magnets), links(here, connection, "child"))
        known = named(here, connection, [item.lot for item in up] + [row.lot for row in magnets])
    return Json(
        {
            "motor": name,
            "built": motor["built"],
            "lots_unknown": bool(motor["built"]) and motor["magnets"] is None,
            "magnets": [{**asdict(row), "supplier": getattr(known.get(row.lot), "supplier", None)} for row in magnets],
            "ancestors": [traced(item, known) for item in up],
        }
    )


def _one(here: Here, connection: Connection, row_type: type[Any], name: str) -> RowMapping | None:
    table = here.table(row_type)
    return connection.execute(select(table).where(table.c.motor == name)).mappings().one_or_none()


def tested_motor(here: Here, connection: Connection, name: str) -> MotorResults | None:
    """What was measured on a motor; None where nothing was."""
    table = here.table(MotorResults)
    return next(iter(rows(connection, table, MotorResults, table.c.motor == name)), None)


def _with_events(items: Sequence[Item], events: Sequence[Item]) -> list[Item]:
    """Results with the event that each came from."""
    return [{**item, "event": event} for item, event in zip(items, events, strict=True)]
