"""Signed checkpoints: the table of all of them, and the copy of the last one outside the database."""

import fcntl
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from services.store.sealing.keys import sync_folder, write_durably
from services.store.sealing.notes import epoch_of
from services.store.tables import log_checkpoints
from services.verifier import parse_checkpoint


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed checkpoint of the log as it is kept."""

    epoch: int
    size: int
    root: bytes
    note: str
    signed_at: datetime


def keep(connection: Connection, signed: Signed) -> None:
    """Keep a checkpoint; for one epoch and size there is one for ever."""
    connection.execute(
        insert(log_checkpoints).values(
            epoch=signed.epoch, size=signed.size, root=signed.root, note=signed.note, signed_at=signed.signed_at
        )
    )


def latest(connection: Connection) -> Signed | None:
    """The newest checkpoint; None before the first."""
    table = log_checkpoints
    row = connection.execute(select(table).order_by(table.c.epoch.desc(), table.c.size.desc()).limit(1)).first()
    return None if row is None else Signed(row.epoch, row.size, bytes(row.root), row.note, row.signed_at)


def of_size(connection: Connection, size: int) -> Signed | None:
    """The newest checkpoint of exactly this size."""
    table = log_checkpoints
    query = select(table).where(table.c.size == size).order_by(table.c.epoch.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Signed(row.epoch, row.size, bytes(row.root), row.note, row.signed_at)


def sizes_near(connection: Connection, size: int) -> list[int]:
    """The sizes of the checkpoints next below and next above a size."""
    table = log_checkpoints
    below = select(func.max(table.c.size)).where(table.c.size < size)
    above = select(func.min(table.c.size)).where(table.c.size > size)
    found = (connection.execute(query).scalar() for query in (below, above))
    return [near for near in found if near is not None]


def holds(connection: Connection, note: str) -> bool:
    """Whether this very note is kept."""
    size = note.split("\n")[1] if note.count("\n") > 1 else ""
    if not (size.isascii() and size.isdigit()):
        return False
    table = log_checkpoints
    query = select(table.c.size).where(table.c.size == int(size), table.c.note == note)
    return connection.execute(query).first() is not None


def sealed_size(connection: Connection) -> int:
    """How many events the newest checkpoint covers."""
    found = latest(connection)
    return 0 if found is None else found.size


@dataclass(frozen=True, slots=True)
class Outside:
    """The last signed note in `<data_dir>/checkpoints/<log id>`: what a restored database does not take back."""

    data_dir: Path
    log_id: str

    @property
    def path(self) -> Path:
        return self.data_dir / "checkpoints" / self.log_id

    def read(self) -> str | None:
        """The note; None where none was kept."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, note: str) -> None:
        """Put this note in the place of the last one, in one step and durably, unless that one is newer.

        A sealer that was paused after its commit comes here when another one has signed more.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.log_id}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.read()
            if before is None or _age(before) <= _age(note):
                self._replace(note)

    def _replace(self, note: str) -> None:
        fresh = self.path.with_name(f".{self.log_id}.{secrets.token_hex(8)}")
        write_durably(fresh, note.encode())
        fresh.replace(self.path)
        sync_folder(self.path.parent)


def _age(note: str) -> tuple[int, int]:
    """The epoch and size of a signed checkpoint, whose order is that of their signing; (0, 0) for what is none."""
    try:
        signed = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    except ValueError:
        return 0, 0
    return epoch_of(signed.origin), signed.size
