"""A small projection for tests of the projector: motors, and exact sums for each lot."""

from typing import Any, ClassVar

from msgspec.structs import replace

from events.envelope import Draft, Recorded, draft_of
from projections.folds.fold import Key, Projection, Row, Rows

BUILT = "lodestone.motors.motor_built.v1"
VOIDED = "lodestone.tests.test_voided.v1"
SOURCE = "plant/line-1"


def event(id: str, type: str = BUILT, **data: Any) -> dict[str, Any]:
    """A CloudEvent of a known type; the store does not look into its data."""
    time = "2026-03-01T08:00:00+01:00"
    return {"specversion": "1.0", "id": id, "source": SOURCE, "type": type, "time": time, "data": data}


def built(number: int, lot: str, ticks: Any, motor: str | None = None, **more: Any) -> Draft:
    """A motor built from a lot, with a measured value in ticks."""
    data = {"motor": motor or f"m{number}", "lot": lot, "ticks": ticks, **more}
    return draft_of(event(f"b{number}", **data), f"motors/plant:{data['motor']}", versioned=False)


def voided(number: int, motor: str) -> Draft:
    """That motor's record counts nowhere."""
    return draft_of(event(f"v{number}", type=VOIDED, motor=motor), "tests/plant:x", versioned=False)


class Motor(Row, frozen=True):
    """One motor: the lot it came from, and its value."""

    motor: str
    lot: str
    ticks: int
    ratio: float | None
    notes: tuple[tuple[str, float], ...]
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("motor",)
    __undigested__: ClassVar[tuple[str, ...]] = ("position",)
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("lot",),)


class LotSum(Row, frozen=True):
    """The exact sums of one lot."""

    lot: str
    motors: int
    total: int
    squares: int
    seen: dict[str, int]
    gone: bool

    __key__: ClassVar[tuple[str, ...]] = ("lot",)
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __undigested_rows__: ClassVar[str] = "gone"


def keys(event: Recorded) -> list[Key]:
    return [Key(Motor, (event.data["motor"],))]


def more_keys(event: Recorded, rows: Rows) -> list[Key]:
    before = rows.get(Motor, event.data["motor"])
    lots = [before.lot] if before else []
    if event.type == BUILT:
        lots.append(event.data["lot"])
    return [Key(LotSum, (lot,)) for lot in lots]


def fold(event: Recorded, rows: Rows) -> None:
    """A motor counts once, with its last record; a voided one counts nowhere."""
    before = rows.get(Motor, event.data["motor"])
    if before is not None:
        _count(rows, before.lot, before.ticks, -1)
        rows.delete(Motor, before.motor)
    if event.type == VOIDED:
        return
    data = event.data
    _count(rows, data["lot"], data["ticks"], 1)
    if data.get("broken"):
        raise ValueError(f"{data['motor']} is broken")
    notes = tuple((name, value) for name, value in data.get("notes", ()))
    rows.put(Motor(data["motor"], data["lot"], data["ticks"], data.get("ratio"), notes, event.position))


def _count(rows: Rows, lot: str, ticks: int, sign: int) -> None:
    held = rows.get(LotSum, lot) or LotSum(lot, 0, 0, 0, {}, False)
    seen = {**held.seen, str(ticks): held.seen.get(str(ticks), 0) + sign}
    motors = held.motors + sign
    total, squares = held.total + sign * ticks, held.squares + sign * ticks**2
    rows.put(replace(held, motors=motors, total=total, squares=squares, seen=seen, gone=motors == 0))


COUNTING = Projection("counting", 1, (Motor, LotSum), frozenset({BUILT, VOIDED}), keys, fold, more_keys)
