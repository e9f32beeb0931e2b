"""Migrating: the tables brought to this release by their owner, and the service's role granted what it needs."""

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from events.errors import Unavailable
from services.store.database import address, grants
from services.store.database.address import OWNER_URL, SERVICE_URL, connect_with
from services.store.database.folder import SERVICE
from services.store.database.refusals import answered, cause, check_version

_LOCK = 7_031_990_002
"""The advisory lock of `migrations/env.py`: who grants waits for who migrates."""
_MIGRATING = threading.Lock()
"""Alembic keeps its context in module globals: one thread of a process at a time."""
_FOREIGN = (
    "SELECT c.relname, c.relkind = 'v' FROM pg_class c WHERE c.relnamespace = to_regnamespace('projections') "
    "AND c.relkind IN ('r', 'v') AND NOT pg_has_role(%s, c.relowner, 'MEMBER') ORDER BY c.relkind DESC"
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: the version before (None: no tables) and after, and who was granted what they lacked."""

    before: str | None
    after: str
    role: str
    granted: bool
    unfolded: int = 0
    """Projection tables of another role that were taken away, to be folded again by the service's."""

    @property
    def sentence(self) -> str:
        """What was done, for people."""
        if self.before == self.after:
            said = f"The tables are those of this release already (version {self.after})"
        else:
            said = f"Migrated from {self.before or 'an empty database'} to version {self.after}"
        if self.granted:
            said += f"; the role {self.role} was granted what it needs, and nothing more"
        if self.unfolded:
            said += "; the projections belonged to another role and are folded again by the worker"
        return f"{said}."


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the packaged migrations."""
    spec = find_spec("migrations")
    assert spec is not None and spec.submodule_search_locations
    config = Config()
    config.set_main_option("script_location", str(Path(next(iter(spec.submodule_search_locations)))))
    config.attributes["url"] = url
    config.attributes["service_role"] = SERVICE
    return config


def newest() -> str:
    """The version of this release."""
    head = ScriptDirectory.from_config(alembic_config("")).get_current_head()
    assert head is not None
    return head


def migrate(owner: URL, service: URL) -> Migrated:
    """Migrate and grant. Any number may run at once. Raises Unavailable with what to do."""
    role = address.role(service)
    apart = role != address.role(owner)
    with answered(), psycopg.connect(**connect_with(owner, autocommit=True)) as connection:
        check_version(connection.info.server_version)
        if apart:
            _check_roles(connection, role)
        before, after = _version(connection), newest()
        if before != after:
            _check_writable(connection, before, after)
            before = _upgrade(owner)
        granted, unfolded = _grant(connection, role) if apart else (False, 0)
    return Migrated(before, after, role, granted, unfolded)


def _check_roles(connection: psycopg.Connection[Any], role: str) -> None:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        raise Unavailable(
            f"There is no role '{role}', which {SERVICE_URL} names. Make it, as somebody who may, and migrate again: "
            f"{sql.SQL('CREATE ROLE {} LOGIN PASSWORD').format(sql.Identifier(role)).as_string(connection)} '…';"
        )


def _version(connection: psycopg.Connection[Any]) -> str | None:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if found is None else str(found[0])


def _check_writable(connection: psycopg.Connection[Any], before: str | None, after: str) -> None:
    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise Unavailable(
            f"The database is a standby at version {before or 'none'}; migrate its primary to {after} instead.",
            retry_after_s=30,
        )


def _upgrade(owner: URL) -> str | None:
    """Run the migrations; the version that they found, when it was their turn. What they would grant, `grants` does."""
    config = alembic_config(owner.render_as_string(hide_password=False))
    config.attributes["service_role"] = None
    config.attributes["connect_with"] = connect_with(owner)
    with _MIGRATING:
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Unavailable(
                f"The database was written by a newer Lodestone than this one ({error}). "
                f"Start that newer release, or use another database ({SERVICE_URL}, LODESTONE_DATA_DIR)."
            ) from error
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != "42501":
                raise
            raise Unavailable(
                f"The tables are not those of this release, and the role {address.role(owner)} may not change them "
                f"({cause(str(error.orig))}): run `lodestone migrate` with {OWNER_URL}, the URL of the tables' owner."
            ) from error
    found: str | None = config.attributes.get("found")
    return found


def _grant(connection: psycopg.Connection[Any], role: str) -> tuple[bool, int]:
    if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        return False, 0
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        return grants.grant(connection, role), _give_up_foreign(connection, role)


def _give_up_foreign(connection: psycopg.Connection[Any], role: str) -> int:
    """Drop projection tables that the service's role cannot fold into; `prepare` makes and folds them again."""
    found = connection.execute(_FOREIGN, (role,)).fetchall()
    for name, view in found:
        drop = sql.SQL("DROP VIEW {} CASCADE" if view else "DROP TABLE {} CASCADE")
        connection.execute(drop.format(sql.Identifier("projections", name)))
    if found:
        connection.execute("UPDATE projection_checkpoints SET version = 0 WHERE name <> 'decider'")
    return len(found)
