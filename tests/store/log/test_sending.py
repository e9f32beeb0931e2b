"""Groups larger than one COPY: nothing of them is lost, mixed or half written, and neither side waits for the other."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from events.envelope import stored_bytes
from events.errors import Invalid
from services.store.database import Database
from services.store.log import Append, Log, leaf_hash
from services.store.log.copying import PIECE
from services.store.log.sending import Copy, copy_all, run
from tests.store.facts import count, draft, straight

NUMBERS = "COPY numbers FROM STDIN (FORMAT binary)"


def numbers(*values: int) -> bytes:
    """Rows of one integer each."""
    return b"".join(b"\0\1\0\0\0\4" + value.to_bytes(4) for value in values)


def ready(*values: int) -> Copy:
    return NUMBERS, lambda: numbers(*values)


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with straight(database.owner_url) as made:
        made.execute("CREATE TEMPORARY TABLE numbers (value integer PRIMARY KEY)")
        yield made


def kept(connection: psycopg.Connection[Any]) -> list[int]:
    return [value for (value,) in connection.execute("SELECT value FROM numbers ORDER BY value").fetchall()]


def test_a_group_of_several_pieces_is_stored_as_it_came(database: Database) -> None:
    drafts = tuple([draft("proposals/p" if n % 3 else "lots/a", versioned=n % 3 > 0) for n in range(2 * PIECE + 7)])
    outcomes = Log(database).append(Append(drafts))
    assert [outcome.position for outcome in outcomes] == list(range(1, 2 * PIECE + 8))
    with straight(database.owner_url) as connection:
        rows = connection.execute(
            "SELECT position, stream, stream_version, content_hash, leaf_hash, body FROM log_events ORDER BY position"
        ).fetchall()
        places = connection.execute("SELECT version, position FROM log_streams ORDER BY version").fetchall()
    version = 0
    for (position, stream, number, content, leaf, body), sent, told in zip(rows, drafts, outcomes, strict=True):
        version += sent.versioned
        assert number == (version if sent.versioned else None)
        assert body == stored_bytes(sent, str(told.recorded_time), number)
        assert (position, stream, content, leaf) == (told.position, sent.stream, sent.content_hash, leaf_hash(body))
    assert places == [(number, position) for position, _, number, *_ in rows if number is not None]
    assert Log(database).append(Append(drafts))[-1].status == "duplicate"


@pytest.mark.parametrize("at", [0, PIECE + 1, 2 * PIECE + 6])
def test_what_json_cannot_hold_fails_alone_in_whatever_piece_it_stands(database: Database, at: int) -> None:
    log, drafts = Log(database), [draft() for _ in range(2 * PIECE + 7)]
    wrong = [*drafts[:at], draft(value=math.nan), *drafts[at:]]
    with pytest.raises(Invalid, match="NaN or infinite"):
        log.append(Append(tuple(wrong)))
    assert count(database, "log_events") == count(database, "log_identity") == 0
    assert log.append(Append(tuple(drafts)))[-1].position == 2 * PIECE + 7


def test_rows_are_made_while_the_server_takes_the_ones_before(
    connection: psycopg.Connection[Any], database: Database
) -> None:
    """The server stands still at the first row until the last ones are made: else it would wait in vain."""
    connection.execute(
        "CREATE FUNCTION pg_temp.held() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$"
    )
    connection.execute("CREATE TRIGGER held BEFORE INSERT ON numbers FOR EACH ROW EXECUTE FUNCTION pg_temp.held()")
    connection.execute("SET lock_timeout = '60s'")
    with straight(database.owner_url) as holding:
        holding.execute("SELECT pg_advisory_lock(1)")

        def last() -> bytes:
            holding.execute("SELECT pg_advisory_unlock(1)")
            return numbers(3)

        copy_all(connection, [ready(1), ready(2), (NUMBERS, last)])
    assert kept(connection) == [1, 2, 3]


def test_rows_wait_to_be_made_while_the_server_asks_for_those_that_are(connection: psycopg.Connection[Any]) -> None:
    made: list[int] = []

    def one(value: int) -> Callable[[], bytes]:
        def make() -> bytes:
            made.append(value)
            time.sleep(0.05)  # the server, which has nothing else to do, waits for each
            return numbers(value)

        return make

    copy_all(connection, [(NUMBERS, one(value)) for value in range(4)])
    assert made == kept(connection) == [0, 1, 2, 3]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_error_while_rows_are_made_is_raised_and_the_connection_goes_on(
    connection: psycopg.Connection[Any], at: int
) -> None:
    copies = [ready(1), ready(2)]
    copies.insert(at, (NUMBERS, lambda: numbers(1 // 0)))
    with pytest.raises(ZeroDivisionError):
        copy_all(connection, copies)
    assert kept(connection) == []
    copy_all(connection, [ready(3)])
    assert kept(connection) == [3]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_refusal_of_the_server_is_raised_and_the_connection_goes_on(
    connection: psycopg.Connection[Any], at: int
) -> None:
    copies = [ready(1), ready(2)]
    copies.insert(at, ready(3, 3))
    with pytest.raises(psycopg.errors.UniqueViolation, match="numbers_pkey"):
        copy_all(connection, copies)
    assert kept(connection) == []
    with pytest.raises(psycopg.errors.UndefinedTable):
        copy_all(connection, [ready(4), ("COPY nothing FROM STDIN (FORMAT binary)", lambda: b"")])
    copy_all(connection, [ready(3)])
    assert kept(connection) == [3]


def test_what_comes_after_the_rows_is_done_only_when_they_are_taken(connection: psycopg.Connection[Any]) -> None:
    run(connection, "BEGIN")
    copy_all(connection, [ready(1)], "INSERT INTO numbers VALUES (2); COMMIT")
    assert kept(connection) == [1, 2]
    run(connection, "BEGIN")
    with pytest.raises(psycopg.errors.UniqueViolation):
        copy_all(connection, [ready(3), ready(1)], "COMMIT")
    run(connection, "ROLLBACK")
    with pytest.raises(psycopg.errors.DivisionByZero):
        copy_all(connection, [ready(4)], "SELECT 1 / 0; SELECT 1")
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(connection, "INSERT INTO numbers VALUES (5); SELECT 1 / 0")
    assert kept(connection) == [1, 2]
