"""The database: a pool of connections of the service role, a few outside of it, and what happens when it is away."""

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError

from events.errors import Unavailable
from services.store.database import address, migrating
from services.store.database.address import OWNER_URL, connect_with
from services.store.database.refusals import answered, check_version
from services.store.database.standing import Standing, standing

POOL_SIZE = 12
POOL_OVERFLOW = 8
RECYCLE_S = 300
"""How long a connection of the pool is used: after a failover one may be left that still reads from the old primary."""
FALLBACK_S = 5.0
"""How long a connection for reading stays on a standby before the primary is looked for again."""


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
        pool_size: int = POOL_SIZE,
        max_overflow: int = POOL_OVERFLOW,
        revive: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address.address(url)
        self._owner = address.address(owner_url, OWNER_URL) if owner_url else self._address
        self.url = self._address.render_as_string(hide_password=False)
        self.owner_url = self._owner.render_as_string(hide_password=False)
        self.revive = revive
        self._dedicated: weakref.WeakSet[psycopg.Connection[Any]] = weakref.WeakSet()
        self.engine: Engine = create_engine(
            self._address,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=True,
            pool_timeout=5,
            pool_recycle=RECYCLE_S,
            isolation_level="READ COMMITTED",
            connect_args=connect_with(self._address, options=address.options(self._address)),
        )
        event.listen(self.engine, "connect", lambda made, _: check_version(made.info.server_version))
        if address.asks_for_writes(self._address):
            _read_anywhere(self.engine)

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
        """What the driver says about a database that is away becomes Unavailable; an embedded one is revived.

        When the server turns out to take no writes, and the URL asks for one that does, everything is connected anew.
        """
        try:
            with answered():
                yield
        except Unavailable as error:
            if error.facts.get("read_only") and address.asks_for_writes(self._address):
                self.dispose()
            self.revive()
            raise

    def listen(self) -> psycopg.Connection[Any]:
        """A connection of its own that hears `NOTIFY lodestone_log`; a hint only, polling is the truth."""
        with answered():
            connection = self._plain()
            connection.execute("LISTEN lodestone_log")
        return connection

    def dedicated(self) -> psycopg.Connection[Any]:
        """A connection of its own for the log's writer, outside the pool, with the time limits of every session.

        Each statement is its own transaction unless BEGIN was sent. Raises Unavailable.
        """
        with self.guarded():
            made = self._plain(options=address.options(self._address))
        self._dedicated.add(made)
        return made

    def _plain(self, **more: Any) -> psycopg.Connection[Any]:
        made = psycopg.connect(**connect_with(self._address, autocommit=True, **more))
        check_version(made.info.server_version)
        return made

    def ping(self) -> None:
        """Raises Unavailable unless a query is answered."""
        with self.connect() as connection:
            connection.execute(text("SELECT 1"))

    def standing(self) -> Standing:
        """Whether writes are taken, and whether our role could change the log. Raises Unavailable."""
        with self.connect() as connection:
            return standing(connection)

    def migrate(self) -> migrating.Migrated:
        """Bring the tables to this release's version, as the owner, and grant the service role what it needs.

        Raises Unavailable when the database does not answer, is too old, or was written by a newer release, and when
        the role may not migrate.
        """
        return migrating.migrate(self._owner, self._address)

    def migrated(self) -> bool:
        """Whether the tables are at this release's version."""
        with self.connect() as connection:
            if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
                return False
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found == migrating.newest()

    def dispose(self) -> None:
        """Close all connections, but for one in the middle of a transaction; who goes on gets new ones."""
        self.engine.dispose()
        for connection in list(self._dedicated):
            if connection.info.transaction_status == TransactionStatus.IDLE:
                connection.close()


def _read_anywhere(engine: Engine) -> None:
    """While no server of the URL takes writes, its standbys are read from; the primary is looked for again."""

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        try:
            return dialect.connect(*arguments, **named)
        except psycopg.OperationalError:
            made = dialect.connect(*arguments, **{**named, "target_session_attrs": "any"})
            record.info["until"] = time.monotonic() + FALLBACK_S
            return made

    @event.listens_for(engine, "checkout")
    def look_again(made: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() > record.info.get("until", float("inf")):
            raise DisconnectionError
