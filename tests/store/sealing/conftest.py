"""Fixtures of the seal: a sealer with a data folder of its own, and a log of some length."""

from itertools import count
from pathlib import Path

import pytest

from services.store.database import Database
from services.store.log import Log
from services.store.sealing.sealer import Sealer

_numbers = count(1)


@pytest.fixture
def sealer(database: Database, log: Log, tmp_path: Path) -> Sealer:
    """A sealer that nobody competes with."""
    return Sealer(database, log, tmp_path, f"sealer-{next(_numbers)}")
