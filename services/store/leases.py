"""Leases: which process does a piece of work; a paused owner is fenced by its epoch."""

import socket
from dataclasses import dataclass

from sqlalchemy import Connection, text

from services.store.database import Database

LEASE_S = 7.0
"""So that another process folds and seals within ten seconds of a kill."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A piece of work that this owner holds, and since which epoch."""

    name: str
    owner: str
    epoch: int


class Fenced(RuntimeError):
    """The lease went to somebody else while we were away; nothing was written."""


def take(database: Database, name: str, owner: str, seconds: float = LEASE_S) -> Lease | None:
    """Take or renew a lease; None while another owner holds it. A new owner raises the epoch."""
    statement = text(
        "INSERT INTO leases AS l (name, owner, epoch, expires_at) "
        "VALUES (:name, :owner, 1, clock_timestamp() + make_interval(secs => :seconds)) "
        "ON CONFLICT (name) DO UPDATE SET owner = :owner, expires_at = excluded.expires_at, "
        "epoch = l.epoch + CASE WHEN l.owner = :owner THEN 0 ELSE 1 END "
        "WHERE l.owner = :owner OR l.expires_at < clock_timestamp() RETURNING epoch"
    )
    with database.begin() as connection:
        epoch = connection.execute(statement, {"name": name, "owner": owner, "seconds": seconds}).scalar()
    return None if epoch is None else Lease(name, owner, int(epoch))


def check(connection: Connection, lease: Lease) -> None:
    """Hold the lease until this transaction ends. Raises Fenced when it went to another owner."""
    statement = text("SELECT 1 FROM leases WHERE name = :name AND owner = :owner AND epoch = :epoch FOR SHARE")
    held = connection.execute(statement, {"name": lease.name, "owner": lease.owner, "epoch": lease.epoch}).scalar()
    if held is None:
        raise Fenced(f"The lease '{lease.name}' went to another process.")


def unsettle(connection: Connection, name: str) -> None:
    """Let who holds this lease take it again, and read again what it has read, before it writes anything more."""
    connection.execute(text("UPDATE leases SET epoch = epoch + 1 WHERE name = :name"), {"name": name})


def owner_of(pid: int) -> str:
    """The name under which a process of this machine holds its leases."""
    return f"{socket.gethostname()}:{pid}"


def drop(database: Database, owner: str) -> None:
    """Let others take at once what a process held that is known to be dead: nobody else may call this."""
    statement = text("UPDATE leases SET expires_at = clock_timestamp() WHERE owner = :owner")
    with database.begin() as connection:
        connection.execute(statement, {"owner": owner})


def release(database: Database, lease: Lease) -> None:
    """Let another process take the lease at once."""
    statement = text(
        "UPDATE leases SET expires_at = clock_timestamp() WHERE name = :name AND owner = :owner AND epoch = :epoch"
    )
    with database.begin() as connection:
        connection.execute(statement, {"name": lease.name, "owner": lease.owner, "epoch": lease.epoch})
