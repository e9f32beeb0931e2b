"""The pages of lots: all magnet lots, and one lot with its papers, its origins and its motors."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, RowMapping, func, select

from events.errors import NotFound
from events.refs import parse_ref, ref_text
from events.vocabulary import characteristics
from projections.folds.cases import Case
from projections.folds.certificates import LotMeasurement
from projections.folds.genealogy.rows import Lot, LotLink, MotorLot
from projections.folds.genealogy.trace import ancestors
from projections.folds.specbook import Assessment
from services.doors.context import Here
from services.doors.pages.environment import render
from services.doors.pages.people import Page
from services.doors.review.lots import links

router = APIRouter(include_in_schema=False)
Reader = Annotated[Here, Depends(Page("read"))]
RESULTS = {"conform": "good", "nonconform": "bad", "inconclusive": "warn"}


@router.get("/lots")
def lots_page(here: Reader) -> HTMLResponse:
    """Every magnet lot."""
    lot, share = here.table(Lot), here.table(MotorLot)
    counts = select(share.c.lot, func.count().label("motors")).where(share.c.current).group_by(share.c.lot).subquery()
    query = select(lot, func.coalesce(counts.c.motors, 0).label("motors"))
    query = query.outerjoin(counts, counts.c.lot == lot.c.lot).where(lot.c.level == "magnet")
    with here.connect() as connection:
        rows = connection.execute(query.order_by(lot.c.produced_at, lot.c.lot)).mappings().all()
    shown = [{**row, "synthetic": row["origin"] == "synthetic"} for row in rows]
    return render(here.request, "lots.html", {"lots": shown})


@router.get("/lots/{lot}")
def lot_page(lot: str, here: Reader) -> HTMLResponse:
    """One lot at any level."""
    ref = str(parse_ref(lot))
    with here.connect() as connection:
        table = here.table(Lot)
        row = connection.execute(select(table).where(table.c.lot == ref)).mappings().one_or_none()
        if row is None or row["level"] is None:
            raise NotFound(f"There is no lot {lot}. Lots are registered by their suppliers.")
        view = {
            **row,
            "synthetic": row["origin"] == "synthetic",
            "notes": _notes(row),
            "measurements": _measurements(here, connection, ref),
            "ancestors": _ancestors(here, connection, ref),
            "descendants": _descendants(here, connection, ref),
            "motors": _motors(here, connection, ref),
            "cases": _cases(here, connection, ref),
        }
    return render(here.request, "lot.html", {"lot": view})


def _notes(row: RowMapping) -> list[str]:
    notes = []
    if row["withdrawn"]:
        notes.append(f"The supplier took this lot back: {row['withdrawn_reason']}")
    if row["incomplete"]:
        notes.append(f"Genealogy incomplete: the inputs account for {100 * row['fraction_sum']:.3g} % of the mass.")
    if row["conflict"]:
        notes.append("Two records claim this lot; the earlier one holds until one of them is replaced.")
    return notes


def _measurements(here: Here, connection: Connection, lot: str) -> list[dict[str, Any]]:
    table = here.table(LotMeasurement)
    query = select(table).where(table.c.lot == lot).order_by(table.c.kind, table.c.characteristic)
    assessed = _assessed(here, connection, lot)
    shown = []
    for row in connection.execute(query).mappings():
        known = characteristics.find(row["characteristic"])
        result, against = assessed.get((row["event_source"], row["event_id"], row["characteristic"]), (None, ""))
        words = f"{result} ({against})" if result else None
        tone = RESULTS.get(result or "", "")
        shown.append({**row, "name": known.name, "unit": known.unit, "assessed": words, "tone": tone})
    return shown


def _assessed(here: Here, connection: Connection, lot: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    """The latest assessment of each characteristic of each document of a lot, and the revision it was against."""
    table = here.table(Assessment)
    query = select(table).where(table.c.lot == lot).order_by(table.c.position)
    return {
        (row.certificate_source, row.certificate_id, row.characteristic): (row.result, f"revision {row.revision}")
        for row in connection.execute(query)
    }


def _cases(here: Here, connection: Connection, lot: str) -> list[dict[str, Any]]:
    """The cases in whose evidence the lot stands, with its verdict there."""
    table = here.table(Case)
    found = []
    for row in connection.execute(select(table.c.case, table.c.title, table.c.proposal)):
        for item in ((row.proposal or {}).get("evidence") or {}).get("lot_effects") or ():
            if ref_text(item["lot"]) == lot:
                title = (row.proposal or {}).get("title") or row.title
                found.append({"id": row.case, "title": title, "verdict": item["verdict"]})
    return found


def _levels(here: Here, connection: Connection, lots: Sequence[str]) -> dict[str, str]:
    table = here.table(Lot)
    rows = connection.execute(select(table.c.lot, table.c.level).where(table.c.lot.in_(lots)))
    return {row.lot: row.level for row in rows}


def _ancestors(here: Here, connection: Connection, lot: str) -> list[dict[str, Any]]:
    """The input lots back to the mine, one line each, indented by depth, with their share of this lot."""
    found = ancestors({lot: 1.0}, links(here, connection, "child"))
    levels = _levels(here, connection, [item.lot for item in found])
    return [
        {"lot": item.lot, "depth": item.depth, "fraction": item.fraction, "counts": item.counts, "why": item.why}
        | {"level": levels.get(item.lot)}
        for item in found
    ]


def _descendants(here: Here, connection: Connection, lot: str) -> list[dict[str, Any]]:
    table = here.table(LotLink)
    rows = connection.execute(select(table).where(table.c.parent == lot).order_by(table.c.child)).mappings().all()
    levels = _levels(here, connection, [row["child"] for row in rows])
    return [{"lot": row["child"], "fraction": row["fraction"], "level": levels.get(row["child"])} for row in rows]


def _motors(here: Here, connection: Connection, lot: str) -> list[dict[str, Any]]:
    table = here.table(MotorLot)
    query = select(table).where(table.c.lot == lot, table.c.current).order_by(table.c.motor)
    return [dict(row) for row in connection.execute(query).mappings()]
