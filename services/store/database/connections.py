"""The database: connections of the service role, migrations as the owner, and what happens when it is away."""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, TimeoutError

from events.errors import Unavailable
from services.store.database.postgres import SERVICE

RETRY_AFTER_S = 2
WRITER_OPTIONS = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=30000"
"""So that a writer that stopped in the middle frees the others."""
_UNPREPARED = ("42P01", "3F000")
"""SQLSTATE of a table or schema that does not exist."""
_AWAY = (OperationalError, InterfaceError, TimeoutError)


_MIGRATING = threading.Lock()
"""Alembic keeps its context in module globals: one thread of a process at a time."""


class Database:
    """A pool of connections to one PostgreSQL database, as the service role.

    `owner_url` is used for migrations only; without it, migrations run as the service role. `revive` is called when
    the database does not answer: the embedded server starts again then.
    """

    def __init__(
        self,
        url: str,
        owner_url: str | None = None,
        *,
        pool_size: int = 12,
        revive: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = _with_driver(url)
        self.revive = revive
        self._dedicated: weakref.WeakSet[psycopg.Connection[Any]] = weakref.WeakSet()
        self.owner_url = _with_driver(owner_url or url)
        self.engine: Engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=8,
            pool_pre_ping=True,
            pool_timeout=5,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 5, "options": _options(self.url)},
        )

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for reading. Raises Unavailable when the database does not answer."""
        with self.guarded(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection for reading whose every query sees the same moment. Raises Unavailable."""
        with self.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that commits at the end. Raises Unavailable when the database does not answer."""
        with self.guarded(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """What the driver says about a database that is away becomes Unavailable; an embedded one is revived."""
        try:
            with _away():
                yield
        except Unavailable:
            self.revive()
            raise

    def listen(self) -> psycopg.Connection[Any]:
        """A connection of its own that hears `NOTIFY lodestone_log`; a hint only, polling is the truth."""
        with _away():
            connection = self._plain()
            connection.execute("LISTEN lodestone_log")
        return connection

    def dedicated(self) -> psycopg.Connection[Any]:
        """A connection of its own for the log's writer, outside the pool, with the time limits of every session.

        Each statement is its own transaction unless BEGIN was sent. Raises Unavailable.
        """
        with self.guarded():
            made = self._plain(options=_options(self.url))
        self._dedicated.add(made)
        return made

    def _plain(self, **more: Any) -> psycopg.Connection[Any]:
        url = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=True, connect_timeout=5, **more)

    def ping(self) -> None:
        """Raises Unavailable unless a query is answered."""
        with self.connect() as connection:
            connection.execute(text("SELECT 1"))

    def migrate(self) -> None:
        """Bring the tables to this release's version, as the owner.

        Raises Unavailable when the database does not answer or was written by a newer release.
        """
        config = alembic_config(self.owner_url)
        with _away(), _MIGRATING:
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Unavailable(
                    f"The database was written by a newer Lodestone than this one ({error}). "
                    "Start that newer release, or use another LODESTONE_DATA_DIR."
                ) from error

    def migrated(self) -> bool:
        """Whether the tables are at this release's version."""
        with self.connect() as connection:
            if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
                return False
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found == ScriptDirectory.from_config(alembic_config(self.owner_url)).get_current_head()

    def dispose(self) -> None:
        """Close all connections, but for one in the middle of a transaction; who goes on gets new ones."""
        self.engine.dispose()
        for connection in list(self._dedicated):
            if connection.info.transaction_status == TransactionStatus.IDLE:
                connection.close()


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the packaged migrations."""
    spec = find_spec("migrations")
    assert spec is not None and spec.submodule_search_locations
    config = Config()
    config.set_main_option("script_location", str(Path(next(iter(spec.submodule_search_locations)))))
    config.attributes["url"] = url
    config.attributes["service_role"] = SERVICE
    return config


def _with_driver(url: str) -> str:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Unavailable("LODESTONE_DATABASE_URL is not a URL; write postgresql://user:password@host/name.") from error
    if parsed.get_backend_name() != "postgresql":
        raise Unavailable(
            f"LODESTONE_DATABASE_URL names {parsed.get_backend_name()}; PostgreSQL 15 or newer is the only database: "
            "postgresql://user:password@host/name."
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _options(url: str) -> str:
    """Our session settings, then the URL's own, which so win."""
    own = make_url(url).query.get("options", "")
    return " ".join([WRITER_OPTIONS, *([own] if isinstance(own, str) else own)]).strip()


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        raise unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unavailable(error) from error
        _check_prepared(getattr(error.orig, "sqlstate", None), error)
        raise
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise unavailable(error) from error


@contextmanager
def prepared() -> Iterator[None]:
    """For statements that go to the driver itself: a table of the log that is not there yet becomes Unavailable."""
    try:
        yield
    except psycopg.Error as error:
        _check_prepared(error.sqlstate, error)
        raise


def _check_prepared(sqlstate: str | None, error: Exception) -> None:
    if sqlstate in _UNPREPARED:
        raise Unavailable(
            "The database is not set up yet: its tables are still to be made (`lodestone migrate`).",
            retry_after_s=RETRY_AFTER_S,
        ) from error


def unavailable(error: Exception) -> Unavailable:
    """The refusal for a database that does not answer now."""
    cause = str(getattr(error, "orig", error)).strip().splitlines()
    return Unavailable(
        f"The database does not answer ({cause[0] if cause else type(error).__name__}). "
        "Nothing accepted is lost; try again.",
        retry_after_s=RETRY_AFTER_S,
    )
