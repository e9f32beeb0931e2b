"""Fixtures of the engine's tests: a service with a small plant, made once and copied for each test."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from tests.conftest import TEMPLATE
from tests.engine.story import Story, story
from tests.inference.plants import made, requirement
from tests.inference.test_assess import specs

FOLDED, DECIDED = "engine_folded", "engine_decided"
_numbers = count(1)


def _open(server: EmbeddedPostgres, name: str) -> Database:
    addresses = server.addresses(name)
    return Database(addresses.service, addresses.owner, pool_size=4)


@pytest.fixture(scope="session")
def templates(postgres: EmbeddedPostgres) -> EmbeddedPostgres:
    """Two databases to copy: facts received and folded; and then decided once."""
    postgres.make_database(FOLDED, template=TEMPLATE)
    database = _open(postgres, FOLDED)
    found = story(database)
    for text in specs():
        found.specify(text)
    found.order(requirement("motor.dpsi_irr"))
    found.facts(made("low_hcj", motors_per_lot=10).events)
    found.projector.catch_up()
    database.dispose()
    postgres.make_database(DECIDED, template=FOLDED)
    database = _open(postgres, DECIDED)
    story(database).turn()
    database.dispose()
    return postgres


def _copy(server: EmbeddedPostgres, template: str) -> Iterator[Story]:
    name = f"engine_{os.getpid()}_{next(_numbers)}"
    server.make_database(name, template=template)
    database = _open(server, name)
    yield story(database)
    database.dispose()
    server.drop_database(name)


@pytest.fixture
def folded(templates: EmbeddedPostgres) -> Iterator[Story]:
    """One lot of low coercivity after a recorded change of source, a requirement on flux loss; nothing decided yet."""
    yield from _copy(templates, FOLDED)


@pytest.fixture
def decided(templates: EmbeddedPostgres) -> Iterator[Story]:
    """The same after the engine's first turns."""
    yield from _copy(templates, DECIDED)
