"""Quarantine: events that were refused are kept with the reason, until they are sent again and accepted."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert

from events.canonical import canonical
from events.errors import DomainError, NotFound
from events.rules.access import Principal
from services.access.scopes import scope
from services.store.database import Database
from services.store.tables import quarantine


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The kept refusals. The same refused event of the same scope is kept once, however often it is sent."""

    database: Database
    clock: Callable[[], datetime]

    def keep(self, refused: Sequence[tuple[object, Mapping[str, Any]]], principal: Principal) -> None:
        """Keep these events with their problem details."""
        kept = [self.row(event, problem, scope(principal)) for event, problem in refused]
        rows = {row["id"]: row for row in kept}
        if rows:
            statement = insert(quarantine).values(list(rows.values()))
            again = {"problem": statement.excluded.problem, "resolved_at": None}
            with self.database.begin() as connection:
                connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=again))

    def row(self, event: object, problem: Mapping[str, Any], whose: str) -> dict[str, Any]:
        """The row that keeps this event (bytes: what was no event) for that scope."""
        body = event if isinstance(event, bytes) else _bytes(event)
        source = event.get("source") if isinstance(event, Mapping) else None
        return {
            "id": hashlib.sha256(f"{whose}\n".encode() + body).hexdigest()[:32],
            "received_at": self.clock(),
            "source": source if isinstance(source, str) and "\x00" not in source else None,
            "principal": whose,
            "event": body,
            "problem": storable(problem),
            "resolved_at": None,
        }

    def open(self, principal: Principal, *, all_principals: bool) -> Select[Any]:
        """The query for what is kept and not resolved: of this principal, or of all."""
        query = select(quarantine).where(quarantine.c.resolved_at.is_(None))
        return query if all_principals else query.where(quarantine.c.principal == scope(principal))

    def one(self, identity: str, principal: Principal, *, all_principals: bool) -> RowMapping:
        """One kept event. Raises NotFound, also for what is another's."""
        query = self.open(principal, all_principals=all_principals).where(quarantine.c.id == identity)
        with self.database.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("There is no such item in quarantine: it was resolved already, or never kept.")
        return row

    def resolve(self, identity: str) -> None:
        """The event was accepted after all."""
        statement = update(quarantine).where(quarantine.c.id == identity).values(resolved_at=self.clock())
        with self.database.begin() as connection:
            connection.execute(statement)


def shown(row: Any) -> dict[str, Any]:
    """A kept event as the door shows it; `event` is null with `raw` beside it where it was not JSON."""
    item: dict[str, Any] = {
        "id": row.id,
        "received_at": row.received_at.isoformat(),
        "source": row.source,
        "event": None,
        "problem": row.problem,
    }
    try:
        item["event"] = orjson.loads(row.event)
    except orjson.JSONDecodeError:
        item["raw"] = row.event.decode("utf-8", "replace")
    return item


def storable(value: Any) -> Any:
    """The value without what a text in PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, Mapping):
        return {storable(name): storable(inner) for name, inner in value.items()}
    return [storable(inner) for inner in value] if isinstance(value, list | tuple) else value


def _bytes(event: object) -> bytes:
    """The event's canonical bytes; what has none (NaN, broken text) as it can be shown."""
    if isinstance(event, DomainError):
        return str(event.facts.get("raw", "")).encode("utf-8", "replace")
    try:
        return canonical(event)
    except (DomainError, RecursionError):
        return repr(event).encode("utf-8", "replace")
