"""A connection that breaks around COMMIT: what was written is answered as written, what was not is refused."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy.engine import make_url

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from tests.store.facts import draft

_ROWS_END = b"c\0\0\0\4"
"""The message that ends the rows of a COPY; the COMMIT that was sent before them follows the last one."""


class Cut(threading.Thread):
    """A socket in front of the server's that breaks the first connection that commits an insert."""

    def __init__(self, folder: Path, server: Path, *, after_commit: bool) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.after_commit = after_commit
        self.cuts = 0
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(folder / ".s.PGSQL.5432"))
        self.listening.listen()

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self.server / ".s.PGSQL.5432"))
            written, rows = False, 0
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    part = ready.recv(65536)
                    if not part:
                        return
                    written = written or b"COPY log_events" in part or b"INTO log_cursors" in part
                    if ready is client:
                        rows = part.count(b"COPY log_") or rows - part.count(_ROWS_END)
                    committing = rows == 0 and (b"COMMIT" in part or _ROWS_END in part)
                    if ready is client and written and committing and self.cuts == 0:
                        self.cuts += 1
                        if self.after_commit:
                            server.sendall(part)
                            while b"COMMIT" not in (server.recv(65536) or b"COMMIT"):
                                pass
                        return
                    (server if ready is client else client).sendall(part)


@contextmanager
def fragile_log(database: Database, postgres: EmbeddedPostgres, *, after_commit: bool) -> Iterator[tuple[Log, Cut]]:
    with TemporaryDirectory() as folder:
        cut = Cut(Path(folder), postgres.socket, after_commit=after_commit)
        cut.start()
        url = make_url(database.url).update_query_dict({"host": folder})
        through = Database(url.render_as_string(hide_password=False), pool_size=1)
        yield Log(through), cut
        through.dispose()
        cut.listening.shutdown(socket.SHUT_RDWR)
        cut.listening.close()


def test_a_commit_whose_answer_was_lost_is_answered_as_accepted(
    log: Log, database: Database, postgres: EmbeddedPostgres
) -> None:
    known, fresh = draft(), draft()
    log.append(Append((known,)))
    with fragile_log(database, postgres, after_commit=True) as (fragile, cut):
        outcomes = fragile.append(Append((known, fresh)))
    assert cut.cuts == 1
    assert [(outcome.status, outcome.position) for outcome in outcomes] == [("duplicate", 1), ("accepted", 2)]
    assert log.head() == 2


def test_a_commit_that_never_arrived_is_refused_and_the_next_try_is_accepted(
    log: Log, database: Database, postgres: EmbeddedPostgres
) -> None:
    with fragile_log(database, postgres, after_commit=False) as (fragile, cut):
        request = Append((draft(),))
        with pytest.raises(Unavailable):
            fragile.append(request)
        assert cut.cuts == 1
        assert log.head() == 0
        assert fragile.append(request)[0].status == "accepted"
