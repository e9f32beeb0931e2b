"""Where the embedded PostgreSQL listens: always on a private socket, and on a port of this machine where asked to."""

from dataclasses import dataclass
from pathlib import Path

from events.errors import Unavailable
from services.store.database.address import DRIVER
from services.store.database.binaries import lives

HOST = "127.0.0.1"
USUAL = 5432
"""PostgreSQL names its socket file after a port, also when it listens on none."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The port at 127.0.0.1, or None: the socket alone. Passwords (scram) are asked for on both."""

    port: int | None = None

    @property
    def number(self) -> int:
        """The number in the name of the socket file."""
        return self.port or USUAL

    def options(self, socket: Path) -> str:
        """The server's own options."""
        return f"-k '{socket}' -c port={self.number} -c listen_addresses='{HOST if self.port else ''}'"

    def url(self, role: str, password: str, database: str, socket: Path) -> str:
        """The URL of a database for SQLAlchemy with psycopg; passwords of ours need no escaping."""
        if self.port:
            return f"{DRIVER}://{role}:{password}@{HOST}:{self.port}/{database}"
        return f"{DRIVER}://{role}:{password}@/{database}?host={socket}"

    def beside(self, data: Path) -> "Listening":
        """As the server on this data folder listens that runs already; ourselves when none does.

        Raises Unavailable when it runs and does not listen where it is asked to.
        """
        running = _running(data)
        if running is None or running == self:
            return self
        if self.port is None:
            return running
        where = f"at {HOST}:{running.port}" if running.port else "on its socket alone"
        raise Unavailable(
            f"The embedded database in {data.parent} runs already and listens {where}, not at {HOST}:{self.port}. "
            "Stop what uses it, then start again."
        )


def _running(data: Path) -> Listening | None:
    """How the running server listens, from its lock file: process, folder, start, port, socket folder, address."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process, port, address = int(lines[0]), int(lines[3]), lines[5].strip()
    except (OSError, ValueError, IndexError):
        return None
    if not lives(process):
        return None
    return Listening(port) if address else Listening()
