"""How this machine's worker, ingress, relay and shards are: quick, for the health check of a container.

These have no door, so they are asked through what they last reported.
"""

from events.errors import Invalid
from services import settings
from services.store import leases
from services.store.database import Database
from services.store.reports import reports


def trouble(database: Database, roles: list[str], owner: str) -> str | None:
    """None when a process whose owner's name begins with `owner` does each of these roles well, else what is wrong.

    Raises Unavailable when the database does not answer.
    """
    told = [one for one in reports(database) if one.owner.startswith(owner) and one.living]
    for role in roles:
        mine = [one for one in told if one.name == role]
        if not mine:
            return f"No {role} has reported within the last seconds."
        if all(one.body.get("detail") for one in mine):
            return str(mine[0].body["detail"])
    return None


def here(roles: list[str]) -> str | None:
    """None when all of these roles are well on this machine. Raises Unavailable when the database does not answer."""
    found = settings.load()
    if found.database_url is None:
        raise Invalid("LODESTONE_DATABASE_URL is not set: nothing runs beside the service on the embedded database.")
    database = Database(found.database_url, pool_size=1)
    try:
        return trouble(database, roles, leases.owner_of(0).removesuffix("0"))
    finally:
        database.dispose()
