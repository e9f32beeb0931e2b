"""Verifying: every stored event again, from its bytes, and every projection again, from the log."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, select

from events import catalogue
from events.canonical import content_hash
from events.envelope import SERVICE_ATTRIBUTES, decode
from projections.folds.memory import DictRows, fold_one, state_digest
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.tables import identity_key, log_events, log_identity
from services.verifier import leaf_hash

PAGE = 1000


@dataclass(slots=True)
class Verification:
    """What was found: how far the log was read, each projection's digest, and what is wrong, first position first."""

    position: int = 0
    first_wrong_position: int | None = None
    projections: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "verified": not self.problems,
            "position": self.position,
            "first_wrong_position": self.first_wrong_position,
            "projections": self.projections,
        }


def verify(log: Log, projector: Projector, advance: Callable[[int], None]) -> Verification:
    """Check density, both hashes, identity and the projections. Stops reading at the first wrong position.

    Seals and signatures are not part of it yet: a change by the database's owner that also mends the hashes is
    found by them only.
    """
    found = Verification()
    homes = {name: DictRows(projection.row_types) for name, projection in projector.projections.items()}
    until = projector.position()
    for row, registered in _stored(log, until):
        problem = _wrong(found.position + 1, row, registered)
        if problem:
            found.first_wrong_position = found.position + 1
            found.problems.append(f"Position {found.position + 1}: {problem}")
            return found
        event = catalogue.upcast(decode(row.position, bytes(row.body)))
        for name, projection in projector.projections.items():
            fold_one(projection, event, homes[name])
        found.position = row.position
        advance(row.position)
    _compare(projector, homes, found)
    return found


def _stored(log: Log, until: int) -> Iterator[tuple[Row[Any], int | None]]:
    """The stored rows in order, each with the position that its identity is registered at."""
    after = 0
    while after < until:
        query = select(log_events).where(log_events.c.position > after, log_events.c.position <= until)
        with log.database.connect() as connection:
            rows = connection.execute(query.order_by(log_events.c.position).limit(PAGE)).all()
            keys = [_key(row.body) for row in rows]
            registered = select(log_identity.c.key, log_identity.c.position).where(log_identity.c.key.in_(keys))
            places = dict(connection.execute(registered).tuples().all())
        if not rows:
            return
        yield from ((row, places.get(key)) for row, key in zip(rows, keys, strict=True))
        after = rows[-1].position


def _key(body: bytes) -> UUID | None:
    try:
        event = orjson.loads(body)
        return identity_key(event["source"], event["id"])
    except (ValueError, TypeError, KeyError):
        return None  # a changed byte, which the leaf tells


def _wrong(expected: int, row: Row[Any], registered: int | None) -> str | None:
    if row.position != expected:
        return f"it is missing; the next event stands at {row.position}."
    body = bytes(row.body)
    if leaf_hash(body) != bytes(row.leaf_hash):
        return "the stored bytes do not hash to the stored leaf: a byte was changed."
    event = orjson.loads(body)
    received = {name: value for name, value in event.items() if name not in SERVICE_ATTRIBUTES}
    if content_hash(received) != bytes(row.content_hash):
        return "the event does not hash to its stored content hash."
    if registered != row.position:
        return "its identity (source, id) is not registered as it is stored."
    return None


def _compare(projector: Projector, homes: dict[str, DictRows], found: Verification) -> None:
    for name, rows in homes.items():
        live, again = projector.digest(name), state_digest(rows)
        found.projections[name] = live
        if live != again:
            found.problems.append(
                f"The projection {name} differs from the log folded again; `lodestone rebuild {name}`."
            )
