"""The two engines as parts: PostgreSQL with its two roles, and one Kafka broker, both on this machine alone."""

from events.errors import Unavailable
from services.stack.home import Home
from services.stack.kafka import KafkaBroker
from services.store.database import Database
from services.store.database.postgres import Addresses, EmbeddedPostgres


class Postgres:
    """PostgreSQL at 127.0.0.1, with a role that owns the tables and one that serves."""

    name = "postgres"
    after: tuple[str, ...] = ()

    def __init__(self, home: Home) -> None:
        self.server = EmbeddedPostgres(home.folder / "postgres", port=home.ports["postgres"])
        self._addresses: Addresses | None = None
        self._database: Database | None = None

    @property
    def addresses(self) -> Addresses:
        """The URLs of the database. Raises Unavailable before it was started."""
        if self._addresses is None:
            raise Unavailable("PostgreSQL has not been started.")
        return self._addresses

    def database(self) -> Database:
        """A connection or two of the supervisor's own, as the service role."""
        if self._database is None:
            self._database = Database(self.addresses.service, pool_size=2)
        return self._database

    @property
    def pid(self) -> int | None:
        """The server's process, or None while none runs."""
        try:
            return int((self.server.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def start(self) -> None:
        """Start it unless it runs."""
        if self._addresses is None:
            self._addresses = self.server.open()
        else:
            self.server.revive()

    def alive(self) -> bool:
        """Whether it answers a query."""
        return self.trouble() is None

    def trouble(self) -> str | None:
        """None when it answers a query."""
        try:
            self.database().ping()
        except Unavailable as error:
            return error.detail
        return None

    def ended(self) -> str | None:
        """How it ended."""
        return "It does not answer any more; its log says why."

    def stop(self) -> str | None:
        """End it, and wait."""
        if self._addresses is None and self.pid is not None:
            self._addresses = self.server.open()
        if self._database is not None:
            self._database.dispose()
        self.server.close()
        return None


class Kafka:
    """One broker in KRaft mode at 127.0.0.1."""

    name = "kafka"
    after: tuple[str, ...] = ()

    def __init__(self, home: Home) -> None:
        self.broker = KafkaBroker(home.folder / "kafka", home.ports["kafka"])
        self._opened = False

    @property
    def pid(self) -> int | None:
        """The broker's process, or None while none runs."""
        return self.broker.pid()

    def start(self) -> None:
        """Start it unless it runs."""
        if self._opened:
            self.broker.revive()
        else:
            self.broker.open()
            self._opened = True

    def alive(self) -> bool:
        """Whether its process takes connections."""
        return self.broker.answers()

    def trouble(self) -> str | None:
        """None when it takes connections."""
        return None if self.alive() else "It takes no connections."

    def ended(self) -> str | None:
        """How it ended."""
        return "It takes no connections any more; its log says why."

    def stop(self) -> str | None:
        """End it, and wait."""
        if not self._opened and self.pid is not None:
            self.broker.open()
        self.broker.close()
        self._opened = False
        return None
