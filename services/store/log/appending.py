"""Appending, statement by statement: find duplicates, check versions, number, insert; all under one lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, text

from events.canonical import content_hash
from events.envelope import Draft, stored_bytes
from events.errors import IdentityConflict, VersionConflict
from services.store.tables import log_events, log_identity, log_streams
from services.verifier import leaf_hash

APPEND_LOCK = 7_031_990_001


@dataclass(frozen=True, slots=True)
class Companion:
    """One row of a companion table, written in the same transaction; a row that exists stays."""

    table: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Append:
    """What is to be written together.

    `expected` maps a stream to the version that the caller saw (0: it must not exist). `atomic`: an identity
    conflict refuses the whole; else (a bench's batch) only that event.
    """

    drafts: tuple[Draft, ...]
    expected: Mapping[str, int] = field(default_factory=dict)
    companions: tuple[Companion, ...] = ()
    atomic: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one draft: its position (a duplicate's first one), or the hash that it conflicts with.

    `recorded_time` is that of accepted ones.
    """

    status: Literal["accepted", "duplicate", "conflict"]
    position: int | None
    stored_hash: bytes | None = None
    recorded_time: str | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """Where an event is stored, and its content hash."""

    position: int
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Row:
    position: int
    draft: Draft
    version: int | None
    body: bytes


def lock_log(connection: Connection) -> None:
    """Wait for the other writers, then hold the log until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": APPEND_LOCK})


def head_of(connection: Connection) -> int:
    return int(connection.execute(text("SELECT coalesce(max(position), 0) FROM log_events")).scalar_one())


def identities(connection: Connection, drafts: Sequence[Draft]) -> dict[tuple[str, str], Located]:
    if not drafts:
        return {}
    query = text(
        "SELECT i.source, i.id, i.position, i.content_hash FROM log_identity i "
        "JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS k(source, id) USING (source, id)"
    )
    sources, ids = [draft.source for draft in drafts], [draft.id for draft in drafts]
    rows = connection.execute(query, {"sources": sources, "ids": ids})
    return {(row.source, row.id): Located(row.position, bytes(row.content_hash)) for row in rows}


def sort_out(request: Append, known: dict[tuple[str, str], Located]) -> tuple[list[Outcome], list[Draft]]:
    """Duplicates and conflicts are taken out before anything is numbered; the rest is fresh."""
    outcomes: list[Outcome] = []
    fresh: dict[tuple[str, str], Draft] = {}
    for draft in request.drafts:
        key = (draft.source, draft.id)
        stored = known.get(key)
        twin = fresh.get(key)
        held = stored.content_hash if stored else twin.content_hash if twin else None
        if held is None:
            fresh[key] = draft
            outcomes.append(Outcome("accepted", None))
        elif held == draft.content_hash:
            outcomes.append(Outcome("duplicate", stored.position if stored else None))
        elif request.atomic:
            raise IdentityConflict(
                f"The event {draft.id} of {draft.source} is stored already, with another payload.",
                stored_hash=held.hex(),
                received_hash=draft.content_hash.hex(),
                source=draft.source,
                id=draft.id,
            )
        else:
            outcomes.append(Outcome("conflict", stored.position if stored else None, held))
    return outcomes, list(fresh.values())


def versions_of(connection: Connection, request: Append, fresh: Sequence[Draft]) -> dict[str, int]:
    """The current version of every versioned stream of the request. Raises VersionConflict."""
    streams = {draft.stream for draft in fresh if draft.versioned} | set(request.expected)
    if not streams:
        return {}
    query = text(
        "SELECT stream, max(version) AS version FROM log_streams "
        "WHERE stream = ANY(CAST(:streams AS text[])) GROUP BY stream"
    )
    current = dict.fromkeys(streams, 0)
    for row in connection.execute(query, {"streams": sorted(streams)}):
        current[row.stream] = row.version
    for stream, expected in request.expected.items():
        if current[stream] != expected:
            raise VersionConflict(
                f"{stream} is at version {current[stream]}, not {expected}: somebody else wrote in between. "
                "Read it again and decide anew.",
                stream=stream,
                expected=expected,
                actual=current[stream],
            )
    return current


def number(fresh: Sequence[Draft], head: int, versions: dict[str, int], recorded: str) -> list[Row]:
    rows = []
    for position, draft in enumerate(fresh, head + 1):
        version = None
        if draft.versioned:
            version = versions[draft.stream] = versions[draft.stream] + 1
        rows.append(Row(position, draft, version, stored_bytes(draft, recorded, version)))
    return rows


def stored_row(position: int, body: bytes) -> Row:
    """A row from exported bytes; the content hash is of the event as it was received."""
    event: dict[str, Any] = orjson.loads(body)
    version = event.get("streamversion")
    received = {k: v for k, v in event.items() if k not in ("recordedtime", "stream", "streamversion", "sequence")}
    draft = Draft(received, event["stream"], version is not None, content_hash(received))
    return Row(position, draft, None if version is None else int(version), body)


def insert_rows(connection: Connection, rows: Sequence[Row], now: datetime) -> None:
    """Three statements for any number of rows; arrays travel in binary."""
    if not rows:
        return
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute(
        f"INSERT INTO {log_events.name} "
        "(position, stream, stream_version, type, recorded_at, content_hash, leaf_hash, body) "
        "SELECT p, s, v, t, %b, c, l, b FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::bytea[], "
        "%b::bytea[], %b::bytea[]) AS r(p, s, v, t, c, l, b)",
        (
            now,
            [row.position for row in rows],
            [row.draft.stream for row in rows],
            [row.version for row in rows],
            [row.draft.type for row in rows],
            [row.draft.content_hash for row in rows],
            [leaf_hash(row.body) for row in rows],
            [row.body for row in rows],
        ),
    )
    _register(raw, rows)


def _register(raw: Any, rows: Sequence[Row]) -> None:
    """The identities, and the versions of the rows that have one."""
    raw.execute(
        f"INSERT INTO {log_identity.name} (source, id, position, content_hash) "
        "SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bytea[])",
        (
            [row.draft.source for row in rows],
            [row.draft.id for row in rows],
            [row.position for row in rows],
            [row.draft.content_hash for row in rows],
        ),
    )
    versioned = [row for row in rows if row.version is not None]
    if versioned:
        raw.execute(
            f"INSERT INTO {log_streams.name} (stream, version, position) "
            "SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[])",
            (
                [row.draft.stream for row in versioned],
                [row.version for row in versioned],
                [row.position for row in versioned],
            ),
        )
