"""Fixtures: a sealed log with a key that was rotated out, and what outsiders kept of it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.store.projecting.projector import Projector
from services.store.sealing.checkpoints import latest
from services.store.sealing.ledger.rotation import known_keys, rotate
from services.store.sealing.sealer import Sealer
from services.store.verifying import Verification, verify
from tests.conftest import TEMPLATE
from tests.faults.tampering import tamper
from tests.store.facts import draft

TEMPLATE_SEALED = "lodestone_sealed"
_numbers = count(1)


@dataclass
class Sealed:
    """A log and what others have of it: a checkpoint that somebody kept, and the key that signed it."""

    log: Log
    data_dir: Path
    kept: str
    key: str

    def verify(self, *saved: str) -> Verification:
        projector = Projector(self.log.database, self.log, (), "verifier")
        return verify(self.log, projector, lambda _: None, data_dir=self.data_dir, saved=saved)

    def tamper(self, how: str, position: int) -> None:
        url = make_url(self.log.database.owner_url).set(drivername="postgresql")
        tamper(url.render_as_string(hide_password=False), how, position, self.data_dir)

    def lines(self) -> list[bytes]:
        """What `lodestone export` writes; it goes by the stored bytes and does not mind a hole."""
        table = "SELECT body FROM log_events ORDER BY position"
        with self.log.database.connect() as connection:
            return [bytes(body) for (body,) in connection.exec_driver_sql(table)]


@pytest.fixture(scope="session")
def sealed_once(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """620 events in several rounds, versions among them; the key was rotated at about 300."""
    postgres.make_database(TEMPLATE_SEALED, template=TEMPLATE)
    database, folder = _opened(postgres, TEMPLATE_SEALED), tmp_path_factory.mktemp("sealed")
    log = Log(database)
    sealer = Sealer(database, log, folder, "sealer")
    for number in range(31):
        streams = ("lots/a", f"proposals/{number % 3}")
        batch = (draft(streams[at % 2], versioned=at % 2 == 1, pieces=at) for at in range(20))
        log.append(Append(tuple(batch)))
        if number % 4 == 0:
            sealer.seal()
        if number == 15:
            sealer.finish()
            rotate(log, folder)
            sealer.finish()
    sealer.finish()
    database.dispose()
    return folder


@pytest.fixture
def sealed(postgres: EmbeddedPostgres, sealed_once: Path, tmp_path: Path) -> Iterator[Sealed]:
    """A copy of that log, and of the data folder, for each test."""
    name, data_dir = f"sealed_{os.getpid()}_{next(_numbers)}", tmp_path / "data"
    postgres.make_database(name, template=TEMPLATE_SEALED)
    shutil.copytree(sealed_once, data_dir)
    database = _opened(postgres, name)
    with database.connect() as connection:
        last = latest(connection)
    assert last is not None
    yield Sealed(Log(database), data_dir, last.note, known_keys(database, data_dir)[-1]["verifier_key"])
    database.dispose()
    postgres.drop_database(name)


def _opened(postgres: EmbeddedPostgres, name: str) -> Database:
    addresses = postgres.addresses(name)
    return Database(addresses.service, addresses.owner, pool_size=2)
