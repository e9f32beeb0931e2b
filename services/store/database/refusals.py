"""What the driver and the server say when they cannot or will not, as one sentence with what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

from events.errors import Unavailable

RETRY_AFTER_S = 2
OLDEST = 15
_AWAY = (OperationalError, InterfaceError, TimeoutError, psycopg.OperationalError, psycopg.InterfaceError)
_GRANTS = "run `lodestone migrate` with LODESTONE_DATABASE_OWNER_URL, which grants what it needs"
READ_ONLY = (
    "The database takes no writes now: it is a standby, or was set read-only. Nothing of this was stored, and reading "
    "goes on; try again when it was promoted."
)
_SENTENCES = (
    (r"^25006 |session is read-only|hot standby mode|is in recovery mode", READ_ONLY),
    (
        r"certificate verify failed|SSL error: .*unknown ca",
        "The database's certificate is not vouched for by those of sslrootcert ({cause}), so nothing was sent to it: "
        "name the right authority in the database's URL.",
    ),
    (
        r"server certificate for .* does not match host name",
        "The database's certificate is for another host ({cause}), so nothing was sent to it: write the host as the "
        "certificate names it.",
    ),
    (
        r"server does not support SSL|no pg_hba.conf entry .*SSL off",
        "The database does not speak TLS as the URL's sslmode asks ({cause}), so nothing was sent to it: switch `ssl` "
        "on there.",
    ),
    (
        r"root certificate file|could not load .*certificate",
        "A certificate that the database's URL names cannot be read ({cause}): put the file there, or mend the URL.",
    ),
    (r"permission denied for database", f"This role may not use the database ({{cause}}): {_GRANTS}."),
    (
        r"^28|password authentication failed|no pg_hba.conf entry",
        "The database refuses this role ({cause}): check user and password in the database's URL.",
    ),
    (r"^(3D000|.*database \".*\" does not exist)", "{cause}: make the database first (docs/operations.md)."),
    (
        r"^53300|too many clients|remaining connection slots",
        "The database has no connection left ({cause}): raise its max_connections, or lower "
        "LODESTONE_DATABASE_POOL_SIZE.",
    ),
    (
        r"^53100|No space left on device",
        "The database's disk is full ({cause}). Nothing of this was stored, and nothing accepted is lost: make room "
        "there, and all goes on by itself.",
    ),
    (
        r"^57P0[125]|terminating connection due to administrator",
        "The database is being stopped ({cause}). Nothing accepted is lost; try again.",
    ),
    (
        r"^57P03|the database system is",
        "The database is starting or stopping ({cause}). Nothing accepted is lost; try again.",
    ),
)
"""Patterns over SQLSTATE and message, and the sentence of the first that fits."""
_POOL = (
    "All connections of this process to the database are in use; try again. LODESTONE_DATABASE_POOL_SIZE and "
    "LODESTONE_DATABASE_POOL_OVERFLOW say how many there are."
)


def unavailable(error: Exception) -> Unavailable:
    """The refusal for a database that does not answer now, or not as it was asked."""
    if isinstance(error, TimeoutError):
        return Unavailable(_POOL, retry_after_s=RETRY_AFTER_S)
    whole = str(getattr(error, "orig", error)).strip()
    first = cause(whole) or type(error).__name__
    for pattern, sentence in _SENTENCES:
        if re.search(pattern, f"{_sqlstate(error)} {whole}", re.DOTALL):
            if sentence is READ_ONLY:
                return Unavailable(READ_ONLY, retry_after_s=RETRY_AFTER_S, read_only=True)
            return Unavailable(sentence.format(cause=first), retry_after_s=RETRY_AFTER_S)
    return Unavailable(
        f"The database does not answer ({first}). Nothing accepted is lost; try again.", retry_after_s=RETRY_AFTER_S
    )


def cause(said: str) -> str:
    """The first line, which says the most."""
    line = said.splitlines()[0] if said else ""
    return line.removeprefix("connection failed: ").removeprefix("FATAL:  ").rstrip(".")


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


@contextmanager
def answered() -> Iterator[None]:
    """Whatever comes of a database that is away, read-only, not set up or not granted becomes Unavailable."""
    try:
        yield
    except _AWAY as error:
        raise unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unavailable(error) from error
        check(error)
        raise
    except psycopg.Error as error:
        check(error)
        raise


def check(error: Exception) -> None:
    """Raises Unavailable for what the state of the database refuses, whatever the statement; else nothing."""
    state = _sqlstate(error)
    if state in {"42P01", "3F000"}:
        raise Unavailable(
            "The database is not set up yet: its tables are still to be made (`lodestone migrate`).",
            retry_after_s=RETRY_AFTER_S,
        ) from error
    if state == "42703":
        raise Unavailable(
            f"The tables are not those of this release yet ({cause(str(getattr(error, 'orig', error)))}); /readyz says "
            "what is still to be folded or migrated.",
            retry_after_s=RETRY_AFTER_S,
        ) from error
    if state == "42501" and re.search("permission denied|must be owner", str(error)):
        raise Unavailable(
            f"This role may not do what the service does ({cause(str(getattr(error, 'orig', error)))}): {_GRANTS}.",
            retry_after_s=RETRY_AFTER_S,
        ) from error
    if state == "25006" or state.startswith(("57P", "08")):
        raise unavailable(error) from error


def check_version(number: int) -> None:
    """Raises Unavailable for a server that is too old; `number` as libpq has it (150003 is 15.3)."""
    if number // 10_000 < OLDEST:
        raise Unavailable(
            f"The database is PostgreSQL {number // 10_000}; Lodestone needs {OLDEST} or newer. Upgrade that server, "
            "or name another one in LODESTONE_DATABASE_URL."
        )


@contextmanager
def prepared() -> Iterator[None]:
    """For statements that go to the driver itself: tables, grants or writes that are not there become Unavailable."""
    try:
        yield
    except psycopg.Error as error:
        check(error)
        raise
