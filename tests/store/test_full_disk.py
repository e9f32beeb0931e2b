"""A disk that is full, as the server says it: named, nothing half written, and writing goes on once there is room."""

import psycopg
import pytest

from events.errors import Unavailable
from services.store.database import Database
from services.store.log import Append, Log
from tests.store.facts import draft

FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE EXCEPTION 'could not extend file "base/5/16400": No space left on device'
USING ERRCODE = 'disk_full', HINT = 'Check free disk space.'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON log_events FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
"""


def test_a_full_disk_is_named_and_nothing_is_stored_until_there_is_room(log: Log, database: Database) -> None:
    first, second = draft(), draft()
    assert log.append(Append((first,)))[0].position == 1
    with psycopg.connect(database.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(FULL)
        with pytest.raises(Unavailable, match=r"The database's disk is full \(could not extend file .*make room there"):
            log.append(Append((second,)))
        owner.execute("DROP TRIGGER full_disk ON log_events")
    assert [one.position for one in log.append(Append((first, second)))] == [1, 2]
