"""What the service's role may do in the database, and nothing more: given, and taken away, by the owner."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from services.store.tables import metadata

ADD = frozenset({"SELECT", "INSERT"})
CHANGE = ADD | {"UPDATE", "DELETE"}
KEEP = ADD | {"UPDATE"}
READ = frozenset({"SELECT"})
_ADDED_TO = frozenset({"event_types"})
"""Tables that grow only, besides those whose triggers refuse changes."""
_KEPT = frozenset({"log_cursors"})
"""Tables whose rows move and are never removed."""

_TABLES = """
    SELECT c.relname, c.relispartition AS part,
        EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_append_only') AS guarded,
        ARRAY (SELECT a.privilege_type FROM aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
               WHERE r.rolname = %s) AS held
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
        AND pg_get_userbyid(c.relowner) = current_user
"""
_SCHEMA = """
    SELECT ARRAY (SELECT a.privilege_type FROM aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee
                  WHERE r.rolname = %s) FROM pg_namespace n WHERE n.nspname = 'projections'
"""
_CONNECT = "SELECT has_database_privilege(%s, current_database(), 'CONNECT'), current_database()"


def grant(connection: psycopg.Connection[Any], service: str) -> bool:
    """Bring the privileges of the service's role to what they should be; whether anything had to be changed.

    Runs in the caller's transaction, as the owner of the tables.
    """
    changed = False
    for name, part, guarded, held in connection.execute(_TABLES, (service,)).fetchall():
        wanted = _wanted(name, part, guarded)
        if wanted is not None:
            changed |= _bring(connection, sql.Identifier(name), service, held, wanted)
    ((held,),) = connection.execute(_SCHEMA, (service,)).fetchall()
    schema = sql.SQL("SCHEMA projections")
    changed |= _bring(connection, schema, service, held, frozenset({"USAGE", "CREATE"}))
    ((may_connect, database),) = connection.execute(_CONNECT, (service,)).fetchall()
    if not may_connect:
        changed |= _bring(connection, sql.SQL("DATABASE {}").format(sql.Identifier(database)), service, [], {"CONNECT"})
    return changed


def _wanted(name: str, part: bool, guarded: bool) -> frozenset[str] | None:
    """The privileges on a table of ours: nothing on a partition, which is reached through the log; None: not ours."""
    if part:
        return frozenset() if name.startswith("log_events_") else None
    if name == "alembic_version":
        return READ
    if name not in metadata.tables:
        return None
    if name in _KEPT:
        return KEEP
    return ADD if guarded or name in _ADDED_TO else CHANGE


def _bring(
    connection: psycopg.Connection[Any],
    what: sql.Composable,
    service: str,
    held: list[str],
    wanted: frozenset[str] | set[str],
) -> bool:
    """Grant what is missing, revoke what is too much."""
    role = sql.Identifier(service)
    for verb, side, privileges in (("GRANT", "TO", wanted - set(held)), ("REVOKE", "FROM", set(held) - wanted)):
        if privileges:
            listed = sql.SQL(", ".join(sorted(privileges)))
            words: Mapping[str, sql.Composable] = {"privileges": listed, "what": what, "role": role}
            connection.execute(sql.SQL(f"{verb} {{privileges}} ON {{what}} {side} {{role}}").format(**words))
    return wanted != set(held)
