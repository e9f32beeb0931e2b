"""The address of the database: what people write in a URL, and what every connection of ours is made with."""

import getpass
import os
import re
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from events.errors import Unavailable

DRIVER = "postgresql+psycopg"
SERVICE_URL = "LODESTONE_DATABASE_URL"
OWNER_URL = "LODESTONE_DATABASE_OWNER_URL"
DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "application_name": "lodestone",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""What the URL may say otherwise. A server whose machine went away is noticed within 25 seconds, not in two hours."""
WRITABLE = frozenset({"read-write", "primary"})
"""The values of `target_session_attrs` that ask for a server that takes writes."""
SESSION = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=30000"
"""So that a writer that stopped in the middle frees the others."""

_EXAMPLE = "postgresql://user:password@host/name"
_SEVERAL = re.compile(
    r"^(?P<scheme>[^:/]+)://(?:(?P<who>[^/?@]*)@)?(?P<hosts>[^/?@]*,[^/?@]*)(?P<rest>(?:/[^?]*)?)(?:\?(?P<query>.*))?$"
)


def address(url: str, variable: str = SERVICE_URL) -> URL:
    """The URL as SQLAlchemy has it; several hosts may be written as libpq does or as `host=a&host=b`.

    Raises Unavailable, naming the variable and no password, for what is no URL or names another database.
    """
    try:
        parsed = make_url(_hosts_in_query(url.strip()))
    except (ArgumentError, ValueError) as error:
        raise Unavailable(f"{variable} is not a URL; write {_EXAMPLE}.") from error
    name = parsed.get_backend_name()
    if name not in {"postgresql", "postgres"}:
        raise Unavailable(f"{variable} names {name}; PostgreSQL 15 or newer is the only database: {_EXAMPLE}.")
    return parsed.set(drivername=DRIVER)


def _hosts_in_query(url: str) -> str:
    """`//a:1,b:2/name` as `///name?host=a:1&host=b:2`."""
    found = _SEVERAL.match(url)
    if found is None:
        return url
    hosts = "&".join(f"host={host}" for host in found["hosts"].split(","))
    query = "&".join(part for part in (hosts, found["query"]) if part)
    return f"{found['scheme']}://{found['who'] + '@' if found['who'] else ''}{found['rest'] or '/'}?{query}"


def connect_with(url: URL, **more: Any) -> dict[str, Any]:
    """What the driver is called with: everything of the URL, TLS included, and our defaults under it."""
    _, given = url.get_dialect()().create_connect_args(url)
    given.pop("context", None)  # SQLAlchemy's own way to adapt values, which its pool adds by itself
    return {**DEFAULTS, **given, **more}


def options(url: URL) -> str:
    """Our session settings, then the URL's own, which so win."""
    own = url.query.get("options", "")
    return " ".join([SESSION, *([own] if isinstance(own, str) else own)]).strip()


def role(url: URL) -> str:
    """The role that connects: of the URL, else as libpq would choose it."""
    named = url.username or url.query.get("user")
    return str(named or os.environ.get("PGUSER") or getpass.getuser())


def asks_for_writes(url: URL) -> bool:
    """Whether the URL names several servers and wants the one that takes writes."""
    return str(url.query.get("target_session_attrs", "")) in WRITABLE
