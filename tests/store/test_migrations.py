"""A database that an earlier release filled is brought up with its rows, and goes on as if it had always been so."""

import os
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import select

from events.envelope import draft_of
from services.store.database import Database, alembic_config, grants
from services.store.database.folder import SERVICE
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from services.store.log.appending import leaf_hash
from services.store.tables import log_events, of_types
from tests.store.facts import draft, straight


@pytest.fixture
def earlier(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database as the first migration makes it."""
    name = f"earlier_{os.getpid()}"
    postgres.make_database(name)
    addresses = postgres.addresses(name)
    made = Database(addresses.service, addresses.owner, pool_size=2)
    command.upgrade(alembic_config(made.owner_url), "0001")
    yield made
    made.dispose()
    postgres.drop_database(name)


def fill(database: Database, drafts: list, recorded: str = "2026-03-01T09:00:00.000000Z") -> None:
    """Rows as the release before wrote them."""
    with straight(database.url) as connection:
        for position, one in enumerate(drafts, 1):
            body = one.canonical[:-1] + b',"recordedtime":"%b","stream":"%b"}' % (
                recorded.encode(),
                one.stream.encode(),
            )
            connection.execute(
                "INSERT INTO log_events VALUES (%s, %s, NULL, %s, %s, %s, %s, %s)",
                (position, one.stream, one.type, recorded, one.content_hash, leaf_hash(body), body),
            )
            connection.execute(
                "INSERT INTO log_identity VALUES (%s, %s, %s, %s)", (one.source, one.id, position, one.content_hash)
            )


def test_the_identities_of_an_earlier_release_are_known_after_the_upgrade(earlier: Database) -> None:
    drafts = [draft(id=name) for name in ("plain", "Prüfstand 1", "a'b;c:d", "試験")]
    fill(earlier, drafts)
    earlier.migrate()
    log = Log(earlier)
    assert [outcome.position for outcome in log.append(Append(tuple(drafts)))] == [1, 2, 3, 4]
    assert all(outcome.status == "duplicate" for outcome in log.append(Append(tuple(drafts))))
    found = log.find("/suppliers/magnus", "試験")
    assert found is not None and (found.position, found.content_hash) == (4, drafts[3].content_hash)
    assert log.append(Append((draft(),)))[0].position == 5
    log.close()


def test_the_index_of_types_holds_what_is_rare_and_the_rest_is_still_found(earlier: Database) -> None:
    flux = "lodestone.tests.flux_measured.v1"
    rare, also = draft(), draft()
    bulk = [draft_of({**draft().event, "type": flux}, "tests/a", versioned=False) for _ in range(2)]
    fill(earlier, [rare, *bulk, also])
    earlier.migrate()
    with straight(earlier.owner_url) as connection:
        connection.execute("ANALYZE log_events_000")
        sizes = dict(
            connection.execute("SELECT relname, reltuples::int FROM pg_class WHERE relname ~ '^log_events_000_.*_idx'")
        )
    assert sizes == {"log_events_000_stream_position_idx": 4, "log_events_000_type_position_idx": 2}
    with earlier.connect() as connection:
        for kind, places in ((rare.type, [1, 4]), (flux, [2, 3])):
            query = select(log_events.c.position).where(of_types([kind])).order_by(log_events.c.position)
            assert list(connection.scalars(query)) == places


def test_what_the_migrations_grant_is_what_is_granted_to_any_role(earlier: Database) -> None:
    command.upgrade(alembic_config(earlier.owner_url), "head")
    with straight(earlier.owner_url) as connection:
        assert not grants.grant(connection, SERVICE)


def test_the_upgraded_log_is_append_only_and_open_to_the_service(earlier: Database) -> None:
    fill(earlier, [draft()])
    earlier.migrate()
    with straight(earlier.owner_url) as connection:
        for statement in ("DELETE FROM log_identity", "UPDATE log_identity SET position = 9", "TRUNCATE log_identity"):
            with pytest.raises(Exception, match="append-only"):
                connection.execute(statement)
