"""Releases: each records the types that it is the first to know."""

from datetime import UTC, datetime

from sqlalchemy import func, select

from events.catalogue import CATALOGUE
from services.store.releases import first_to_know, record
from services.store.tables import event_types

NOW = datetime(2026, 4, 1, tzinfo=UTC)
KNOWN = "lodestone.tests.vibration_measured.v2"


def test_the_first_release_that_knew_a_type_is_kept(database):
    assert first_to_know(database, KNOWN) is None
    record(database, "0.2.0", NOW)
    record(database, "0.3.0", NOW)
    assert first_to_know(database, KNOWN) == "0.2.0"
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(event_types)).scalar_one() == len(CATALOGUE)
