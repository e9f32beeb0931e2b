"""Dumps of a database and restores into a fresh cluster, with PostgreSQL's own programs."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from services.store.database.postgres import EmbeddedPostgres
from tests.conftest import quick_folder


def dump(server: EmbeddedPostgres, database: str) -> Path:
    """Dump a database; the file lies where the server's user can write."""
    path = server.socket / f"{database}.dump"
    server.user.run(server.bin / "pg_dump", "-Fc", "-f", path, "-d", _address(server, database))
    return path


def restore(server: EmbeddedPostgres, database: str, path: Path) -> None:
    """Restore a dump into this server's database, which is made anew."""
    server.drop_database(database)
    server.make_database(database)
    command = (server.bin / "pg_restore", "--exit-on-error", "-d", _address(server, database))
    with path.open("rb") as file:
        server.user.run(*command, stdin=file)


def _address(server: EmbeddedPostgres, database: str) -> str:
    url = make_url(server.addresses(database).admin).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@contextmanager
def fresh_cluster() -> Iterator[EmbeddedPostgres]:
    """A new server in a folder of its own, gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="lodestone-restored-", dir=quick_folder()))
    home.chmod(0o711)
    server = EmbeddedPostgres(home / "postgres", unsafe_fast=True)
    server.open()
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(home, ignore_errors=True)
