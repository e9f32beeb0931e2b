"""Fixtures of the doors: the running service, empty or with a plant that was posted, ordered and decided."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from tests.conftest import TEMPLATE
from tests.doors.service import Service, post
from tests.inference.plants import made, requirement
from tests.inference.test_assess import specs

DECIDED = "doors_decided"
_numbers = count(1)


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    """The application over HTTP, on this test's own database."""
    made_here = Service(database, max_body_bytes=256 * 1024)
    yield made_here
    made_here.close()


def _open(server: EmbeddedPostgres, name: str) -> Service:
    addresses = server.addresses(name)
    return Service(Database(addresses.service, addresses.owner, pool_size=4))


@pytest.fixture(scope="session")
def decided_template(postgres: EmbeddedPostgres) -> str:
    """A plant with one lot of low coercivity, all of it through the doors, after the engine's turns."""
    postgres.make_database(DECIDED, template=TEMPLATE)
    service = _open(postgres, DECIDED)
    engineer, admin = service.client("engineer", "erin"), service.client("admin")
    for text in specs():
        assert engineer.post("/v1/specs", json=text).status_code == 201
    assert engineer.post("/v1/requirements", json=requirement("motor.dpsi_irr")).status_code == 201
    events = made("low_hcj", motors_per_lot=10).events
    for start in range(0, len(events), 200):
        answer = post(admin, *events[start : start + 200])
        assert answer["rejected"] == 0, answer
    service.turn()
    service.close()
    service.database.dispose()
    return DECIDED


@pytest.fixture
def decided(postgres: EmbeddedPostgres, decided_template: str) -> Iterator[Service]:
    """A copy of that plant for each test, with the application on it."""
    name = f"doors_{os.getpid()}_{next(_numbers)}"
    postgres.make_database(name, template=decided_template)
    service = _open(postgres, name)
    yield service
    service.close()
    service.database.dispose()
    postgres.drop_database(name)
