"""The page of the log: every event, and in words what projections set aside."""

from sqlalchemy import delete, insert

from services.store.log import wall_clock
from services.store.sealing.ledger.parking import Parkings
from services.store.tables import parked_events
from tests.doors.facts import efficiency
from tests.doors.service import post


def test_what_was_set_aside_and_folded_later_is_told_in_words(service):
    post(service.client("bench", source_prefix="/benches/B1"), efficiency("M1"))
    service.fold()
    aside = {"projection": "correlation", "position": 1, "error": "ValueError: no number", "parked_at": wall_clock()}
    for change in (insert(parked_events).values(aside), delete(parked_events)):
        with service.database.begin() as connection:
            connection.execute(change)
        assert Parkings(service.log).tell() == 1
    page = service.person("auditor", "Anna").get("/audit").text
    assert "could not fold the event at position 1 and set it aside: ValueError: no number" in page
    assert "folded the event at position 1, which had been set aside." in page
