"""One group of requests as one transaction: lock, read, plan, copy, commit; and what became of a lost commit."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from msgspec import structs
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql import JSONB

from events.envelope import utc_text
from events.errors import DomainError, Invalid, Unavailable
from services.store.database import Database
from services.store.log import copying
from services.store.log.appending import Append, Companion, CursorMoved, Located, Outcome, Plan, key_of, streams_of
from services.store.log.sending import copy_all, run
from services.store.tables import metadata

APPEND_LOCK = 7_031_990_001
LOOK_UP_S = 10.0
"""How long to ask for a commit whose answer was lost."""

_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({APPEND_LOCK}); EXECUTE lodestone_head"
"""The lock first. Each statement of the message takes its own snapshot, so the head is read after the wait."""

_HEAD = "SELECT coalesce(max(position), 0) FROM log_events"
SPAN = 10_000_000
"""How far ahead of the head that it found a connection looks for the next one."""

_BROKE = "The connection to the database broke while this was written; nothing was stored. Try again."

Answer = tuple[Outcome, ...] | DomainError


class Lost(Exception):
    """The commit was sent, in one message with the rows, and not answered; these would be the answers if it arrived."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__("the commit was not answered")
        self.answers = answers


@dataclass(slots=True)
class Found:
    """What a group found and did: whether an identity was stored already, and the answer to each request."""

    answers: list[Answer]
    repeats: bool


def connected(database: Database) -> psycopg.Connection[Any]:
    """A connection that can append. Raises Unavailable."""
    connection = database.dedicated()
    connection.prepare_threshold = None  # what the driver prepares it drops again after a rollback, and ours with it
    try:
        _look_from(connection, _head(connection))
    except psycopg.Error:
        connection.close()
        raise
    return connection


def lock(connection: psycopg.Connection[Any], meanwhile: Callable[[], None] = lambda: None) -> int:
    """Begin a transaction, wait for the other writers, then hold the log until it ends; the head of the log."""
    result = run(connection, _BEGIN, meanwhile)[-1]
    found, low, high = [int(result.get_value(0, column) or 0) for column in range(3)]
    if low <= found < high - 1:
        return int(found)
    head = _head(connection)
    connection.execute("DEALLOCATE lodestone_head")
    _look_from(connection, head)
    return head


def _head(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_HEAD).fetchone()
    assert row is not None
    return int(row[0])


def _look_from(connection: psycopg.Connection[Any], low: int) -> None:
    """Plan the question for the head once, over the partition or two where it will be for long.

    Over all partitions, planning takes ten times as long as the rest of a small append, and even answering twice.
    """
    high = low + SPAN
    found = f"SELECT coalesce(max(position), 0), {low}, {high} FROM log_events WHERE position >= {low}"
    connection.execute(f"PREPARE lodestone_head AS {found} AND position < {high}".encode())


def encode_first(requests: Sequence[Append]) -> None:
    """Make the canonical bytes of the first rows, which has to be done anyway, while the server answers."""
    first = copying.piece_of(sum(len(request.drafts) for request in requests))
    with suppress(Invalid):  # raised again, for the request that it belongs to, when its rows are made
        for draft in islice((draft for request in requests for draft in request.drafts), first):
            draft.canonical  # noqa: B018 - kept there


def write(
    connection: psycopg.Connection[Any],
    head: int,
    requests: Sequence[Append],
    clock: Callable[[], datetime],
    *,
    look_first: bool,
) -> Found:
    """Write a group under the lock and commit; a domain error is the answer of its own request only.

    With `look_first` identities are looked up before rows are sent; without it the primary key tells, which is
    cheaper while nothing repeats: UniqueViolation then, and nothing is written. Any other error breaks the whole
    group. Raises Lost when the commit was sent, or may have been, and not answered.
    """
    with connection.cursor() as cursor:
        versions, cursors = _versions(cursor, streams_of(requests)), _cursors(cursor, requests)
        now = clock()
        known = _identities(cursor, requests) if look_first else {}
        plan, answers = _planned(requests, Plan(head, utc_text(now), known, dict(versions), dict(cursors)))
        if not look_first and any(isinstance(answer, DomainError) for answer in answers):
            # What looks like a conflict may be a repeat: a request that is stored already is one whatever its versions.
            known = _identities(cursor, requests)
            plan, answers = _planned(requests, Plan(head, utc_text(now), known, dict(versions), dict(cursors)))
        _advance(cursor, plan)
        for request, answer in zip(requests, answers, strict=True):
            if not isinstance(answer, DomainError):
                _accompany(cursor, request.companions)
    _commit(connection, plan, answers, now)
    return Found(answers, bool(known))


def _planned(requests: Sequence[Append], plan: Plan) -> tuple[Plan, list[Answer]]:
    answers: list[Answer] = []
    for request in requests:
        try:
            answers.append(plan.take(request))
        except DomainError as error:
            answers.append(error)
    return plan, answers


def _versions(cursor: psycopg.Cursor[Any], streams: Sequence[str]) -> Mapping[str, int]:
    current = dict.fromkeys(streams, 0)
    if streams:
        latest = "SELECT coalesce(max(version), 0) FROM log_streams WHERE stream = s"
        query = f"SELECT s, ({latest}) FROM unnest(%b::text[]) AS s"
        current.update(cursor.execute(query, (list(streams),)).fetchall())
    return current


def _cursors(cursor: psycopg.Cursor[Any], requests: Iterable[Append]) -> dict[str, int]:
    """Where the cursors are that these requests move; those that never moved are not there."""
    names = {advance.name for request in requests for advance in request.advances}
    if not names:
        return {}
    query = "SELECT name, next FROM log_cursors WHERE name = ANY(%b::text[])"
    return dict(cursor.execute(query, (sorted(names),)).fetchall())


def _advance(cursor: psycopg.Cursor[Any], plan: Plan) -> None:
    """In the transaction of what was brought: both are there after a crash, or neither."""
    if plan.moved:
        names = sorted(plan.moved)
        cursor.execute(
            "INSERT INTO log_cursors (name, next) SELECT * FROM unnest(%b::text[], %b::bigint[]) "
            "ON CONFLICT (name) DO UPDATE SET next = excluded.next",
            (names, [plan.cursors[name] for name in names]),
        )


def _identities(cursor: psycopg.Cursor[Any], requests: Iterable[Append]) -> dict[bytes, Located]:
    return located(cursor, {key_of(draft) for request in requests for draft in request.drafts})


def located(cursor: psycopg.Cursor[Any], keys: Iterable[bytes]) -> dict[bytes, Located]:
    """The stored events with these identities."""
    query = "SELECT key, position FROM log_identity WHERE key = ANY(%b::uuid[])"
    places = dict(cursor.execute(query, ([UUID(bytes=key) for key in keys],)).fetchall())
    if not places:
        return {}
    query = "SELECT position, content_hash FROM log_events WHERE position = ANY(%b::bigint[])"
    hashes = dict(cursor.execute(query, (list(places.values()),)).fetchall())
    return {key.bytes: Located(position, hashes[position]) for key, position in places.items()}


def _accompany(cursor: psycopg.Cursor[Any], companions: Sequence[Companion]) -> None:
    """The companion rows, those of one form together; a thousand refused messages are not a thousand round trips."""
    forms: dict[tuple[str, ...], list[list[Any]]] = {}
    for companion in companions:
        columns = metadata.tables[companion.table].c
        values = [
            Jsonb(value) if isinstance(columns[name].type, JSONB) else value for name, value in companion.values.items()
        ]
        forms.setdefault((companion.table, *companion.values), []).append(values)
    for (table, *names), rows in forms.items():
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
        )
        cursor.executemany(statement, rows)


def _commit(connection: psycopg.Connection[Any], plan: Plan, answers: list[Answer], now: datetime) -> None:
    """Send the rows and commit, in one message; one hint for the whole group wakes who waits (polling is the truth)."""
    try:
        if plan.drafts:
            rows = copying.copies(plan.keys, plan.drafts, plan.numbers, plan.head + 1, now)
            copy_all(connection, rows, f"NOTIFY lodestone_log, '{plan.head + len(plan.drafts)}'; COMMIT")
        else:
            run(connection, "COMMIT")
    except psycopg.Error as error:
        if connection.closed:
            raise Lost(answers) from error
        raise


def looked_up(database: Database, request: Append, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """What became of a request whose commit was sent but not answered.

    Asks under the lock, so that the commit in question has ended. Raises Unavailable when nothing was written, or
    when the database stays away longer than anyone waits; CursorMoved when somebody else went on.
    """
    deadline = time.monotonic() + LOOK_UP_S
    while True:
        try:
            with database.guarded(), connected(database) as connection, connection.cursor() as cursor:
                lock(connection)
                found = located(cursor, [key_of(draft) for draft in request.drafts])
                cursors = _cursors(cursor, [request])
            break
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    if request.advances:
        _advanced(request, cursors)
    else:
        _arrived(request, outcomes, found)
    return tuple(
        structs.replace(outcome, position=at.position) if (at := found.get(key_of(draft))) else outcome
        for draft, outcome in zip(request.drafts, outcomes, strict=True)
    )


def _advanced(request: Append, cursors: Mapping[str, int]) -> None:
    """Return when the cursors stand where this request put them: it, or one that brought the same, was written."""
    if all(cursors.get(advance.name) == advance.to for advance in request.advances):
        return
    for advance in request.advances:
        if (actual := cursors.get(advance.name)) not in (advance.was, advance.to):
            raise CursorMoved(
                f"{advance.name} is at {actual}: somebody else went on from {advance.was}. Go on from there.",
                cursor=advance.name,
                expected=advance.was,
                actual=actual,
            )
    raise Unavailable(_BROKE, retry_after_s=1)


def _arrived(request: Append, outcomes: Sequence[Outcome], found: Mapping[bytes, Located]) -> None:
    """Return when the events are there. Raises Unavailable when they are not, or when there were none to tell by."""
    wrote = False
    for draft, outcome in zip(request.drafts, outcomes, strict=True):
        at = found.get(key_of(draft))
        if outcome.status == "accepted" and (at is None or at.content_hash != draft.content_hash):
            raise Unavailable(_BROKE, retry_after_s=1)
        wrote = wrote or outcome.status == "accepted"
    if request.companions and not wrote:
        raise Unavailable("The connection to the database broke while this was written. Try again.", retry_after_s=1)
