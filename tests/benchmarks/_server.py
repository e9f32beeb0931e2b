"""A PostgreSQL of a benchmark's own, with durability on, in a folder that goes when it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from services.store.database.postgres import EmbeddedPostgres


@contextmanager
def own_server() -> Iterator[EmbeddedPostgres]:
    """The server, running; what else a benchmark keeps may lie in the folder above it."""
    with TemporaryDirectory(prefix="lodestone-bench-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.open()
        try:
            yield server
        finally:
            server.close()
