"""How the database stands to us: whether it takes writes, and what the service's role could do that it should not."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

_QUESTION = text(
    "SELECT current_user AS name, r.rolsuper AS superuser, "
    "current_setting('transaction_read_only') = 'on' AS read_only, "
    "coalesce(pg_has_role(c.relowner, 'MEMBER'), false) AS owner, "
    "coalesce(has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'), false) AS granted "
    "FROM pg_roles r LEFT JOIN pg_class c ON c.oid = to_regclass('log_events') WHERE r.rolname = current_user"
)
SAME_ROLE = (
    "the service's role owns the log's tables and could switch off what protects them; make them another role's with "
    "LODESTONE_DATABASE_OWNER_URL and `lodestone migrate` (docs/operations.md)"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether writes are refused, as a standby does; and a sentence when our role could change the log, else None."""

    read_only: bool
    weak: str | None


def standing(connection: Connection) -> Standing:
    """How the server of this connection stands to us."""
    found = connection.execute(_QUESTION).one()
    weak = None
    if found.superuser:
        weak = (
            f"The role {found.name} is a superuser, from whom nothing in the database protects the log: give the "
            "service a role of its own (docs/operations.md)."
        )
    elif found.owner:
        weak = f"As {found.name}, {SAME_ROLE}."
    elif found.granted:
        weak = f"The role {found.name} may change the log's rows: `lodestone migrate` as the owner takes that away."
    return Standing(found.read_only, weak)
