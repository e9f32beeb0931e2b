"""Fixtures that every test may use: a real PostgreSQL, a migrated database for each test, the log on it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.stack.kafka import KafkaBroker
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log
from services.transports.kafka.connecting import Cluster

TEMPLATE = "lodestone_template"
LONG = ("faults", "journeys", "transports", "cli", "store", "doors", "house")
"""The rooms that wait longest for processes: shared out first, so that no long file is left for the end."""
_numbers = count(1)

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
"""How long an example takes says nothing where other processes are at work. All else as it was, also in CI."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, the long rooms come first; else the order stays as collected."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONG.index(room) if (room := _room(item)) in LONG else len(LONG))


def _room(item: pytest.Item) -> str:
    """The folder of `tests` that a test lives in."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def quick_folder() -> str | None:
    """Where a server whose durability is off anyway lives: in memory where there is plenty, else among temporary files.

    A database is a thousand small files, and every test has one of its own: on a disk that is most of the work.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return None
    return str(memory) if shutil.disk_usage(memory).free > 4 * 2**30 else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One embedded server for the whole run, with durability off: tests of crashes start their own."""
    home = Path(tempfile.mkdtemp(prefix="lodestone-tests-", dir=quick_folder()))
    home.chmod(0o711)
    server = EmbeddedPostgres(home / "postgres", unsafe_fast=True)
    server.open()
    server.make_database(TEMPLATE)
    template = Database(server.addresses(TEMPLATE).service, server.addresses(TEMPLATE).owner, pool_size=1)
    template.migrate()
    template.dispose()
    yield server
    server.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database of this test's own, made by the migrations."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    postgres.make_database(name, template=TEMPLATE)
    addresses = postgres.addresses(name)
    made = Database(addresses.service, addresses.owner, pool_size=4)
    yield made
    made.dispose()
    postgres.drop_database(name)


@pytest.fixture
def log(database: Database) -> Log:
    """The log in this test's database."""
    return Log(database)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """One Kafka broker for the whole run, whichever of its processes needs it first; nobody may kill it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    made = KafkaBroker(shared / "kafka")
    made.open()
    yield made
    made.close()


@pytest.fixture
def kafka(broker: KafkaBroker) -> Cluster:
    """The broker, with topics of this test's own."""
    return Cluster(broker.address, prefix=f"t{os.getpid()}-{next(_numbers)}", partitions=4)
