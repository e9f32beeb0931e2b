"""Where the time of folding goes, part by part, and what no program of one process can take away from it."""

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from events.envelope import Recorded, decode
from projections.folds.fold import Key, Projection
from projections.folds.written import Written, written
from services.store.database import Database
from services.store.log import Log
from services.store.projecting.folding import newest
from services.store.projecting.pages import PAGE, Pages, raw_of
from services.store.projecting.projector import Projector
from services.store.projecting.rows import BatchRows
from services.store.projecting.shapes import SCHEMA, Shape, shape_of, table_name
from tests.benchmarks._table import Row

ROUNDS = 12
Ready = list[tuple[str, Shape, list[tuple[Any, ...]]]]
"""By table the rows of a page, as the values of their columns, JSON as text."""


class Spent:
    """µs of our own CPU for each event, and how long we waited for the server meanwhile, by part and round."""

    def __init__(self) -> None:
        self.cpu: dict[str, list[float]] = {}
        self.waited: dict[str, list[float]] = {}

    def on(self, part: str, action: Callable[..., Any], *given: Any) -> Any:
        """Do this for a page and note what it cost."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = action(*given)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.cpu.setdefault(part, []).append(1e6 * cpu / PAGE)
        self.waited.setdefault(part, []).append(1e6 * max(0.0, wall - cpu) / PAGE)
        return found


def part_rows(database: Database, name: str, projections: Sequence[Projection], target: float) -> dict[str, Row]:
    """The parts, page after page, one after the other; then what is ours in them, and the floor. Medians."""
    log = Log(database)
    projector = Projector(database, log, projections, "bench")
    projector.prepare()
    spent, position = Spent(), 0
    gc.disable()
    for _ in range(ROUNDS):
        pages = Pages(database, log, projector.live(), lambda *_: None, projector._done, projector._aside)
        bodies = spent.on("reading bytes", log.read_bytes, position, PAGE)
        events = spent.on("envelopes, data left as text", _decoded, bodies)
        page = spent.on("folding with loading", pages._fold, events)
        changed = [one for one in page.rows if one is not None]
        with database.begin() as connection:
            spent.on("loading alone", _load, [_empty(connection, one) for one in changed])
            ready = _temporary(connection, [made for one in changed for made in _ready(one)])
            spent.on("COPY of ready rows", _copy, connection, ready)
            connection.rollback()
        assert spent.on("writing", pages._write, page)
        position = events[-1].position
    gc.enable()
    return _table(name, spent, target)


def _table(name: str, spent: Spent, target: float) -> dict[str, Row]:
    cpu = {part: median(found) for part, found in spent.cpu.items()}
    waited = {part: median(found) for part, found in spent.waited.items()}
    given = cpu["reading bytes"] + cpu["envelopes, data left as text"]
    ours, floor = given + cpu["folding with loading"] + cpu["writing"], given + cpu["COPY of ready rows"]
    rows = {f"{name}, of it {part}": _us(us) for part, us in cpu.items()}
    for part in ("reading bytes", "loading alone", "COPY of ready rows", "writing"):
        rows[f"{name}, waiting for the server at {part}"] = _us(waited[part])
    rows[f"{name}, all of our process"] = _us(ours, 1e6 / target, "target")
    rows[f"{name}, floor: envelopes and COPY of ready rows in one process"] = _us(floor, 1e6 / target, "target")
    return rows


def _decoded(bodies: Sequence[tuple[int, bytes]]) -> list[Recorded]:
    return [newest(decode(position, body)) for position, body in bodies]


def _load(batches: Sequence[tuple[BatchRows, list[Key]]]) -> None:
    for rows, keys in batches:
        rows.load(keys)


def _us(ours: float, yardstick: float | None = None, name: str = "-") -> Row:
    ratio = None if yardstick is None else yardstick / ours
    return {"ours": ours, "yardstick": yardstick, "yardstick_name": name, "ratio": ratio, "unit": "us/event"}


def _empty(connection: Any, rows: BatchRows) -> tuple[BatchRows, list[Key]]:
    """A batch with nothing loaded, and the keys of what this one changed."""
    fresh = BatchRows(raw_of(connection), rows._projection, rows._generation, lambda refs: {})
    return fresh, [Key(row_type, key) for row_type, table in rows.changed.items() for key in table]


def _ready(rows: BatchRows) -> Ready:
    found: Ready = []
    for table in (rows.changed, rows.sums):
        for row_type, by_key in table.items():
            shape = shape_of(row_type)
            found.append((_name(rows, row_type), shape, [_values(shape, row) for row in by_key.values() if row]))
    for row_type, values in rows.appended.items():
        found.append((_name(rows, row_type), shape_of(row_type), values))
    return found


def _name(rows: BatchRows, row_type: type[Any]) -> str:
    return table_name(rows._projection, row_type, rows._generation)


def _values(shape: Shape, row: Any) -> tuple[Any, ...]:
    return tuple(
        written(value) if kind == "json" and value is not None and value.__class__ is not Written else value
        for value, kind in zip(shape.values(row), shape.sql_types, strict=True)
    )


def _temporary(connection: Any, ready: Ready) -> Ready:
    """The same for tables made like those, indexes included, that go with the transaction."""
    for number, (name, _, _) in enumerate(ready):
        raw_of(connection).execute(
            f'CREATE TEMP TABLE ready_{number} (LIKE {SCHEMA}."{name}" INCLUDING ALL) ON COMMIT DROP'
        )
    return [(f"ready_{number}", shape, values) for number, (_, shape, values) in enumerate(ready)]


def _copy(connection: Any, ready: Ready) -> None:
    for name, shape, rows in ready:
        with raw_of(connection).cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as into:
            into.set_types(["text" if kind == "json" else kind for kind in shape.sql_types])
            for row in rows:
                into.write_row(row)
