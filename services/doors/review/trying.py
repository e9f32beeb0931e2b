"""`POST /v1/what-if` in its first form: limits tried out on the recorded lots; nothing is written."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import Connection, select

from events.errors import Fault, Invalid
from events.refs import ref_text
from events.vocabulary import characteristics
from events.vocabulary.units import convert
from projections.folds.cases import Case
from projections.folds.genealogy.rows import Lot
from projections.inference.chain.properties import properties
from projections.inference.what_if import Bound, what_if
from services.doors.answers import Json
from services.doors.context import Here, acts
from services.doors.review.shapes import BoundBody, WhatIfBody
from services.engine.book import read_book
from services.engine.materials import load_plant

router = APIRouter(prefix="/v1", tags=["review"])


@router.post("/what-if", summary="Try limits out", response_model=dict[str, Any])
def try_limits(here: Annotated[Here, Depends(acts("what_if"))], body: WhatIfBody) -> Json:
    """Which recorded magnet lots these limits would have stopped, bad ones caught and good ones lost, by supplier.

    A lot is bad when the evidence of a case says that it does not conform. Alloy and process limits are tried on what
    the lots were made from.
    """
    bounds = [_bound(index, limit) for index, limit in enumerate(body.limits)]
    runtime = here.runtime
    position = runtime.position()
    here.request.state.position = position
    with here.connect() as connection:
        book = read_book(connection, runtime.log.head())
        suppliers = _lots(here, connection, None if body.item is None else str(body.item))
        item = None if body.item is None else str(body.item)
        plant = load_plant(connection, runtime.projector, book, item, suppliers)
        bad = _bad(here, connection) & set(suppliers)
    known = properties(plant, suppliers, book.policy.certificate_uncertainty_relative)
    found = what_if(bounds, list(suppliers), sorted(bad), known, suppliers)
    return Json({**found, "evidence": {"position": position}}, position=position)


def _bound(index: int, limit: BoundBody) -> Bound:
    """The limit in the characteristic's canonical unit. Raises Invalid."""
    pointer = f"/limits/{index}"
    if limit.lower is None and limit.upper is None:
        raise Invalid("A limit to try out has a lower or an upper bound.", errors=[Fault(pointer, "give one")])
    code = characteristics.find(limit.characteristic).unit
    try:
        lower, upper = (None if x is None else convert(x, limit.unit, code) for x in (limit.lower, limit.upper))
    except Invalid as error:
        raise Invalid(error.detail, errors=[Fault(f"{pointer}/unit", error.detail)]) from error
    return Bound(limit.characteristic, lower, upper)


def _lots(here: Here, connection: Connection, item: str | None) -> dict[str, str]:
    """The recorded magnet lots with their suppliers."""
    table = here.table(Lot)
    query = select(table.c.lot, table.c.supplier).where(table.c.level == "magnet", table.c.withdrawn.is_(False))
    query = query if item is None else query.where(table.c.item == item)
    return {row.lot: str(row.supplier) for row in connection.execute(query.order_by(table.c.lot))}


def _bad(here: Here, connection: Connection) -> set[str]:
    """The lots that the evidence of a case finds not to conform."""
    table = here.table(Case)
    proposals = connection.scalars(select(table.c.proposal).where(table.c.proposal.is_not(None)))
    effects = (lot for proposal in proposals for lot in (proposal.get("evidence") or {}).get("lot_effects") or ())
    return {ref_text(lot["lot"]) for lot in effects if lot["verdict"] == "does_not_conform"}
