"""Loading what inference concludes from: one requirement, or one source change, at a time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from events.facts.base import EventRef
from events.ids import case_id, source_change_case_id
from events.refs import parse_ref, ref_text
from events.rules import proposals
from events.rules.proposals import CaseState
from projections.folds import correlation, genealogy, lifetimes
from projections.inference.conclude import LIFE
from projections.inference.state import Change, ChangeState, EventId, Group, Life, MotorType, Plant, RequirementState
from services.engine.book import Book
from services.engine.materials import load_changes, load_plant
from services.engine.reading import rows, rows_among
from services.store.log import Log
from services.store.projecting.projector import Projector

SAMPLED = frozenset({"all", "random"})
NUISANCE = ("stator:%", "operator:%")
"""Columns of the sums that the model of this release does not use; they are not loaded."""
MOST_MOTORS = 2000
"""The results of how many motors an evidence record names at most; the rest follows from the position."""
Results = dict[str, tuple[EventId, ...]]


class Loader:
    """Reads the projections' tables and the log, at the position that all projections reached."""

    def __init__(self, log: Log, projector: Projector) -> None:
        self.log = log
        self.projector = projector

    def requirement(
        self, connection: Connection, book: Book, name: str, position: int, now: datetime
    ) -> RequirementState | None:
        """The state of one requirement; None while its motor type is not registered."""
        text = book.requirements[name]
        data = dict(text.text or {})
        motor_type = self.motor_type(connection, ref_text(data["motor_type"]))
        if motor_type is None:
            return None
        life = data["metric"] == LIFE
        groups = () if life else self._groups(connection, motor_type.motor_type, data["metric"])
        lives = self._lives(connection, motor_type.motor_type, data) if life else ()
        lots = {name[4:] for group in groups for pair in group.sums for name in pair if name.startswith("lot:")}
        lots |= {lot for one in lives for lot in one.shares}
        plant = load_plant(connection, self.projector, book, motor_type.magnet_item, lots)
        return RequirementState(
            name, data, text.version, position, now, motor_type, plant, max(book.policy_version, 1), groups, lives,
            {}, book.issued.get(name), self._cases(name, motor_type, plant),
        )  # fmt: skip

    def changes(self, connection: Connection, book: Book, position: int, now: datetime) -> list[ChangeState]:
        """The state of every recorded source change, with the magnet items that its supplier delivers."""
        table = self.projector.table(genealogy.SourceChange)
        suppliers = {row.supplier for row in rows(connection, table, genealogy.SourceChange)}
        items = self._items(connection, suppliers)
        return [
            self._change(change, book, items.get(change.supplier, ()), position, now)
            for change in load_changes(connection, self.projector, suppliers)
        ]

    def results(self, connection: Connection, state: RequirementState, lots: Iterable[str]) -> Results:
        """The events of the results that stand, of this requirement's metric, by lot in their motors."""
        shares = rows_among(connection, self.projector.table(genealogy.MotorLot), genealogy.MotorLot, "lot", lots)
        motors: dict[str, set[str]] = {}
        for row in shares:
            motors.setdefault(row.motor, set()).add(row.lot)
        found: dict[str, list[EventId]] = {}
        for motor, events in self._tested(connection, state, sorted(motors)[:MOST_MOTORS]):
            for lot in motors[motor]:
                found.setdefault(lot, []).extend(events)
        return {lot: tuple(events) for lot, events in found.items()}

    def _tested(
        self, connection: Connection, state: RequirementState, motors: Sequence[str]
    ) -> Iterable[tuple[str, list[EventId]]]:
        mine, metric = state.motor_type.motor_type, state.data["metric"]
        if metric == LIFE:
            table = self.projector.table(lifetimes.MotorLife)
            for life in rows_among(connection, table, lifetimes.MotorLife, "motor", motors):
                if life.motor_type == mine:
                    yield life.motor, _standing(life.record_events, life.records, lambda one: True)
            return
        tests = self.projector.table(correlation.MotorResults)
        for one in rows_among(connection, tests, correlation.MotorResults, "motor", motors):
            if one.motor_type == mine:
                yield one.motor, _standing(one.test_events, one.tests, lambda test: test["metric"] == metric)

    def case(self, case: str) -> CaseState:
        """The case as the log has it now, beyond the position if it moved on."""
        return proposals.fold(self.log.read_stream(f"proposals/{case}"))

    def _change(self, change: Change, book: Book, items: tuple[str, ...], position: int, now: datetime) -> ChangeState:
        named = (change.item,) if change.item else items
        specs = tuple(spec for item in named for spec in book.in_force(item))
        case = source_change_case_id(EventRef(source=change.event.source, id=change.event.id))
        return ChangeState(
            change, named, Plant(specs=specs), position, now, max(book.policy_version, 1), {case: self.case(case)}
        )

    def _items(self, connection: Connection, suppliers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        table = self.projector.table(genealogy.Lot)
        found: dict[str, set[str]] = {}
        for row in rows_among(
            connection,
            table,
            genealogy.Lot,
            "supplier",
            suppliers,
            table.c.level == "magnet",
            table.c.item.is_not(None),
        ):
            found.setdefault(str(row.supplier), set()).add(str(row.item))
        return {supplier: tuple(sorted(items)) for supplier, items in found.items()}

    def motor_type(self, connection: Connection, name: str) -> MotorType | None:
        """The motor type, or None while it is not registered."""
        table = self.projector.table(genealogy.MotorType)
        for row in rows(connection, table, genealogy.MotorType, table.c.motor_type == name):
            event = EventId(row.event_source, row.event_id)
            return MotorType(row.motor_type, row.name, row.magnet_item, row.design, row.origin, event)
        return None

    def _groups(self, connection: Connection, motor_type: str, metric: str) -> tuple[Group, ...]:
        table = self.projector.table(correlation.ResultGroup)
        mine = (table.c.motor_type == motor_type, table.c.metric == metric, table.c.motors > 0)
        heads = rows(connection, table, correlation.ResultGroup, *mine)
        sums: dict[str, dict[tuple[str, str], int]] = {}
        cross = self.projector.table(correlation.CrossSum)
        unused = [column.not_like(pattern) for column in (cross.c.a, cross.c.b) for pattern in NUISANCE]
        for row in rows_among(
            connection, cross, correlation.CrossSum, "group", [head.group for head in heads], *unused
        ):
            sums.setdefault(row.group, {})[row.a, row.b] = row.value
        return tuple(
            Group(
                head.group, head.metric, head.condition, head.pieces, head.repeats, head.selection, head.motors,
                head.results, head.within_ss_by_repeats / head.repeats, sums.get(head.group, {}),
            )
            for head in heads
        )  # fmt: skip

    def _lives(self, connection: Connection, motor_type: str, data: Mapping[str, Any]) -> tuple[Life, ...]:
        table = self.projector.table(lifetimes.MotorLife)
        modes = frozenset(data.get("failure_modes") or ())
        found = rows(connection, table, lifetimes.MotorLife, table.c.motor_type == motor_type)
        return tuple(life for row in found if (life := _life(row, modes)) is not None)

    def _cases(self, name: str, motor_type: MotorType, plant: Plant) -> dict[str, CaseState]:
        item = motor_type.magnet_item
        own = case_id(parse_ref(name), parse_ref(item) if item else None)
        return {own: self.case(own)}


def _standing(events: Any, told: Any, wanted: Callable[[Any], bool]) -> list[EventId]:
    """The events of those that count and are wanted."""
    pairs = zip(events, told, strict=True)
    return [EventId(e["source"], e["id"]) for e, one in pairs if one["reason"] is None and wanted(one)]


def _life(row: lifetimes.MotorLife, modes: frozenset[str]) -> Life | None:
    """A motor's life for these failure modes: to its first failure so, else as long as it is known to have run.

    Motors that ran only because they were suspect tell no rate (statistics.md g.0).
    """
    sampled = any(one["reason"] is None and one["why"] in SAMPLED for one in row.records)
    if not sampled or not row.magnets or row.exposure_h is None or row.exposure_h <= 0.0:
        return None
    shares = {part["lot"]: int(part["pieces"]) for part in row.magnets}
    failed = [one for one in row.failures if not modes or one["mode"] in modes]
    if failed:
        first = min(failed, key=lambda one: (one["life_h"], one["mode"]))
        return Life(row.motor, shares, max(float(first["life_h"]), 1e-3), first["mode"], row.origin)
    return Life(row.motor, shares, row.exposure_h, None, row.origin)
