"""Fixtures of the doors: the running service."""

from collections.abc import Iterator

import pytest

from services.store.database import Database
from tests.doors.service import Service


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    """The application over HTTP, on this test's own database."""
    made = Service(database, max_body_bytes=256 * 1024)
    yield made
    made.close()
