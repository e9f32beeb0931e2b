"""Every projection of the house on the worked example's fleet: at once, in pieces, rebuilt and in dictionaries."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from events.receive import receive
from examples.prius.fleet import fleet
from projections.folds import all_projections
from projections.folds.fold import Projection
from projections.folds.written import read
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.store.projecting.folding import newest
from services.store.projecting.projector import Projector
from tests.folds.dictionaries import DictRows, fold_all, state_digest

NAMES = [projection.name for projection in all_projections()]


def corrected(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events, shuffled, with corrections among them: some arrive before what they correct, some twice removed."""
    chance, more = Random(4), list[dict[str, Any]]()
    for number, test in enumerate(event for event in events if ".tests." in event["type"]):
        name = {"source": test["source"], "id": test["id"]}
        if number % 6 == 0:
            data = {"motor": test["data"]["motor"], "test": name, "reason": "Wrong bench."}
            more.append(made("tests.test_voided", test["source"], f"void-{number}", test["time"], data))
        if number % 6 == 1:
            again = {**test, "id": f"again-{number}", "data": {**test["data"], "replaces": name}}
            more.append(again)
        if number % 30 == 0:
            lift = {
                "motor": test["data"]["motor"],
                "test": {"source": test["source"], "id": "nothing"},
                "reason": "No.",
            }
            lift["replaces"] = {"source": test["source"], "id": f"void-{number}"}
            more.append(made("tests.test_voided", test["source"], f"lift-{number}", test["time"], lift))
    mixed = [*events, *more]
    chance.shuffle(mixed)
    return mixed


def made(kind: str, source: str, name: str, time: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0", "type": f"lodestone.{kind}.v1", "source": source, "id": name, "time": time, "data": data,
    }  # fmt: skip


@pytest.fixture(scope="module")
def filled(postgres: EmbeddedPostgres) -> Iterator[Log]:
    """A log with the whole fleet in it, out of order, and a third of its tests voided or replaced."""
    postgres.make_database("fleet", template="lodestone_template")
    addresses = postgres.addresses("fleet")
    database = Database(addresses.service, addresses.owner, pool_size=4)
    log = Log(database)
    log.append(Append(tuple(receive(event).draft for event in corrected(list(fleet().events)))))
    yield log
    database.dispose()
    postgres.drop_database("fleet")


@pytest.fixture(scope="module")
def projector(filled: Log) -> Projector:
    """All projections, folded in pieces of growing size, and in small pages."""
    made = Projector(filled.database, filled, all_projections(), "pieces", page=97)
    made.prepare()
    piece, head = 1, filled.head()
    while made.position() < head:
        made.catch_up(min(made.position() + piece, head))
        piece *= 3
    return made


def in_dictionaries(log: Log, projection: Projection) -> DictRows:
    return fold_all(projection, map(newest, log.read(0, 1_000_000)))


def test_there_are_projections_and_none_shares_a_name() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_in_pieces_in_dictionaries_and_rebuilt_are_the_same(projector: Projector, name: str) -> None:
    projection = projector.projections[name]
    expected = in_dictionaries(projector.log, projection)
    assert projector.digest(name) == state_digest(expected)
    for row_type in projection.row_types:
        assert _rows(projector, row_type) == _plain(expected, row_type)
    assert projector.rebuild(name) == projector.log.head()
    assert projector.digest(name) == state_digest(expected)


def test_no_event_of_the_fleet_is_parked(projector: Projector) -> None:
    assert projector.parked() == []


def _rows(projector: Projector, row_type: type[Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows as readers see them, by key."""
    with projector.database.connect() as connection:
        found = connection.execute(select(projector.table(row_type))).mappings().all()
    return {tuple(row[name] for name in row_type.__key__): dict(row) for row in found}


def _plain(rows: DictRows, row_type: type[Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = row_type.__struct_fields__
    return {
        key: {name: _json(read(getattr(row, name))) for name in names} for key, row in rows.tables[row_type].items()
    }


def _json(value: Any) -> Any:
    """As JSON reads back: tuples are lists, keys are text."""
    if isinstance(value, (tuple, list)):
        return [_json(item) for item in value]
    return {str(key): _json(item) for key, item in value.items()} if isinstance(value, dict) else value
