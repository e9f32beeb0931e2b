"""The rows of the log, read in order, each checked against its own bytes, its identity, and its stream's versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, tuple_

from events.canonical import content_hash
from events.envelope import SERVICE_ATTRIBUTES
from services.store.database import Database
from services.store.tables import identity_key, log_events, log_identity, log_streams
from services.verifier import leaf_hash

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored event: its row, its leaf hash from the bytes, and what is wrong with it by itself."""

    position: int
    body: bytes
    leaf: bytes
    wrong: str | None


@dataclass(slots=True)
class Reader:
    """Reads the log page by page; `versions` are those that the rule streams have reached."""

    database: Database
    position: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def pages(self, until: int) -> Iterator[list[Stored]]:
        """Pages up to a position. The first wrong event is the last that is given."""
        table = log_events
        while self.position < until:
            query = select(table).where(table.c.position > self.position, table.c.position <= until)
            with self.database.connect() as connection:
                rows = connection.execute(query.order_by(table.c.position).limit(PAGE)).all()
                page = self._checked(connection, rows)
            if not page:
                yield [_missing(self.position + 1, f"it is missing; the log holds nothing up to {until}.")]
                return
            yield page
            if page[-1].wrong:
                return
            self.position = page[-1].position

    def _checked(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Stored]:
        events = [_parsed(bytes(row.body)) for row in rows]
        places = _registered(connection, rows, events)
        page = list[Stored]()
        for expected, (row, event) in enumerate(zip(rows, events, strict=True), self.position + 1):
            if row.position != expected:
                page.append(_missing(expected, f"it is missing; the next event stands at {row.position}."))
                return page
            body = bytes(row.body)
            leaf = leaf_hash(body)
            wrong = _hashes(row, leaf, event) or _columns(row, event) or self._version(row, event)
            if wrong is None and row.position not in places:
                wrong = "its identity, or its stream's version, is not registered as it is stored."
            page.append(Stored(row.position, body, leaf, wrong))
            if wrong:
                return page
        return page

    def _version(self, row: Row[Any], event: dict[str, Any]) -> str | None:
        """Versions of a rule stream are dense."""
        if row.stream_version is None:
            return None
        before = self.versions.get(row.stream, 0)
        self.versions[row.stream] = row.stream_version
        if row.stream_version != before + 1:
            return f"it is version {row.stream_version} of {row.stream}, whose last one was {before}."
        return None


def _missing(position: int, wrong: str) -> Stored:
    return Stored(position, b"", b"", wrong)


def _parsed(body: bytes) -> dict[str, Any]:
    """The event in these bytes; empty when a changed byte made them unreadable, which the leaf tells."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) else {}


def _hashes(row: Row[Any], leaf: bytes, event: dict[str, Any]) -> str | None:
    if leaf != bytes(row.leaf_hash):
        return "the stored bytes do not hash to the stored leaf: a byte was changed."
    received = {name: value for name, value in event.items() if name not in SERVICE_ATTRIBUTES}
    if content_hash(received) != bytes(row.content_hash):
        return "the event does not hash to its stored content hash."
    return None


def _columns(row: Row[Any], event: dict[str, Any]) -> str | None:
    version = None if row.stream_version is None else str(row.stream_version)
    if (row.stream, row.type, version) != (event.get("stream"), event.get("type"), event.get("streamversion")):
        return "its stream, type or version beside the stored bytes is not what they say."
    return None


def _registered(connection: Connection, rows: Sequence[Row[Any]], events: list[dict[str, Any]]) -> set[int]:
    """The positions among these whose identity and stream version are registered for exactly them."""
    keys = [identity_key(str(event.get("source")), str(event.get("id"))) for event in events]
    identity = select(log_identity.c.key, log_identity.c.position).where(log_identity.c.key.in_(keys))
    identities = {row.key: row.position for row in connection.execute(identity)}
    versioned = [(row.stream, row.stream_version) for row in rows if row.stream_version is not None]
    query = select(log_streams.c.stream, log_streams.c.version, log_streams.c.position)
    known = connection.execute(query.where(tuple_(log_streams.c.stream, log_streams.c.version).in_(versioned)))
    versions = {(stream, version): position for stream, version, position in known}
    return {
        row.position
        for row, key in zip(rows, keys, strict=True)
        if identities.get(key) == row.position
        and (row.stream_version is None or versions.get((row.stream, row.stream_version)) == row.position)
    }
