"""Nothing stored changes: the database itself refuses, whoever asks; and a hole is an alarm."""

import psycopg
import pytest

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log, LogHole
from tests.store.facts import draft, straight

TABLES = ("log_events", "log_events_000", "log_identity", "log_streams")
CHANGES = ("UPDATE {} SET position = position + 100", "DELETE FROM {}", "TRUNCATE {}")


@pytest.fixture
def filled(log: Log) -> Log:
    log.append(Append((draft("proposals/p", versioned=True), draft(), draft())))
    return log


@pytest.mark.parametrize("role", ["service", "owner"])
def test_a_stored_row_is_never_changed_or_removed(filled: Log, role: str) -> None:
    database = filled.database
    url = database.url if role == "service" else database.owner_url
    with straight(url) as connection:
        for statement in (change.format(table) for table in TABLES for change in CHANGES):
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
                connection.execute(statement)
            assert ("append-only" in str(refused.value)) == (role == "owner"), statement
    assert filled.head() == 3


def test_the_service_role_does_not_switch_the_refusal_off(filled: Log) -> None:
    with straight(filled.database.url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE log_events DISABLE TRIGGER ALL")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE log_events")


def test_a_partition_further_on_refuses_too(filled: Log) -> None:
    with straight(filled.database.owner_url) as connection:
        for table in ("log_events_031", "log_events_rest"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"TRUNCATE {table}")


def make_hole(database: Database, postgres: EmbeddedPostgres, position: int) -> None:
    """Remove an event as only the server's superuser can, with the triggers switched off."""
    name = database.engine.url.database
    assert name is not None
    with straight(postgres.addresses(name).admin) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log_events WHERE position = %s", (position,))


def test_a_hole_is_an_alarm_for_every_page_that_meets_it(
    filled: Log, database: Database, postgres: EmbeddedPostgres
) -> None:
    make_hole(database, postgres, 2)
    with pytest.raises(LogHole, match="position 2; the next one is 3"):
        filled.read(0, 10)
    with pytest.raises(LogHole):
        filled.read(1, 1)
    assert [event.position for event in filled.read(0, 1)] == [1]
    assert [event.position for event in filled.read(2, 10)] == [3]
