"""Two roles: the owner migrates and grants, the service adds to the log and can change nothing of it."""

import pytest
from psycopg.errors import InsufficientPrivilege

from events.errors import Unavailable
from projections.folds import all_projections
from services.settings import Settings, explain
from services.store.database import Database
from services.store.database.migrating import newest
from services.store.log import Append, Log
from services.store.projecting.projector import Projector
from services.wiring import made
from tests.store.external.roles import External
from tests.store.facts import draft, straight

FORBIDDEN = (
    "UPDATE log_events SET body = ''",
    "DELETE FROM log_events",
    "TRUNCATE log_events",
    "DELETE FROM log_events_000",
    "UPDATE log_identity SET position = 9",
    "DELETE FROM log_streams",
    "TRUNCATE log_checkpoints",
    "DELETE FROM event_types",
    "UPDATE alembic_version SET version_num = '0001'",
    "DROP TABLE log_events",
    "DROP TABLE log_events_000",
    "DROP SCHEMA projections CASCADE",
    "ALTER TABLE log_events DISABLE TRIGGER ALL",
    "ALTER TABLE log_events ADD COLUMN more text",
    "ALTER TABLE log_events DETACH PARTITION log_events_000",
    "ALTER TABLE log_events OWNER TO current_user",
    "DROP TRIGGER log_events_append_only ON log_events",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE public.mine (a int)",
    "SET session_replication_role = replica",
)


def fold(database: Database, log: Log) -> int:
    projector = Projector(database, log, all_projections(), owner="tests")
    projector.prepare()
    projector.catch_up()
    return projector.position()


def test_the_service_role_adds_to_the_log_folds_and_can_change_nothing(external: External) -> None:
    database = external.database()
    done = database.migrate()
    assert (done.before, done.after, done.role, done.granted) == (None, newest(), external.service, True)
    log = Log(database)
    assert log.append(Append((draft("proposals/p", versioned=True), draft())))[1].position == 2
    assert fold(database, log) == 2
    with straight(external.url(external.service)) as connection:
        connection.execute("INSERT INTO leases VALUES ('a', 'b', 1, now())")
        for statement in FORBIDDEN:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)
                pytest.fail(f"the service role could: {statement}")
            assert connection.execute("SELECT count(*) FROM log_events").fetchone() == (2,), statement
    assert database.standing().weak is None
    again = database.migrate()
    assert (again.before, again.after, again.granted) == (newest(), newest(), False)
    log.close()
    database.dispose()


def test_migrating_needs_nothing_of_the_service_role_but_that_it_exists(external: External) -> None:
    external.admin(f'ALTER ROLE "{external.service}" NOLOGIN')
    assert external.database().migrate().after == newest()
    nobody = Database(external.url("nobody_at_all"), external.url(external.owner))
    with pytest.raises(Unavailable, match=r"no role 'nobody_at_all'.*CREATE ROLE"):
        nobody.migrate()


def test_what_was_granted_by_hand_is_taken_away_again(external: External) -> None:
    database = external.database()
    database.migrate()
    external.admin(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{external.service}"')
    assert "may change the log" in str(database.standing().weak)
    assert database.migrate().granted
    with straight(external.url(external.service)) as connection:
        for statement in FORBIDDEN[:8]:
            with pytest.raises(InsufficientPrivilege, match="permission denied"):
                connection.execute(statement)
    assert database.standing().weak is None
    database.dispose()


def test_a_service_on_a_database_without_tables_or_grants_says_what_to_run(external: External) -> None:
    with pytest.raises(Unavailable, match=r"permission denied for database.*`lodestone migrate`"):
        Database(external.url(external.service)).ping()
    external.admin(f'GRANT CONNECT ON DATABASE {external.name} TO "{external.service}"')
    alone = Settings(database_url=external.url(external.service))
    service = made(alone, Database(external.url(external.service), pool_size=2))
    with pytest.raises(
        Unavailable, match=r"may not change them.*`lodestone migrate` with LODESTONE_DATABASE_OWNER_URL"
    ):
        service.prepare()
    with pytest.raises(Unavailable, match="lodestone migrate"):
        service.projector.prepare()
    Database(external.url(external.owner), pool_size=1).migrate()
    for step in (service.prepare, service.projector.prepare, service.log.head):
        with pytest.raises(Unavailable, match=r"permission denied.*`lodestone migrate`") as refused:
            step()
        assert "\n" not in refused.value.detail
    external.database().migrate()
    service.prepare()
    service.database.dispose()


def test_one_role_for_both_works_and_is_said_to_be_weak(external: External) -> None:
    one = Database(external.url(external.owner), pool_size=2)
    one.migrate()
    log = Log(one)
    log.append(Append((draft(),)))
    assert fold(one, log) == 1
    assert "could switch off what protects them" in str(one.standing().weak)
    shown = {row.name: row for row in explain(Settings(database_url=one.url))}
    assert shown["LODESTONE_DATABASE_OWNER_URL"].note.startswith("Weak: ")
    two = external.database()
    assert two.migrate().unfolded
    assert fold(two, Log(two)) == 1
    shown = {row.name: row for row in explain(Settings(database_url=two.url, database_owner_url=two.owner_url))}
    assert shown["LODESTONE_DATABASE_OWNER_URL"].note == ""
    for database in (one, two):
        database.dispose()
