"""The private keys of a log: files of their own in the data folder, made once, readable by their owner only."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from events.errors import Refused
from services.store.sealing.notes import SigningKey, key_name

FOLDER_MODE, FILE_MODE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one log in `<data_dir>/keys/<log id>/`: `1.pem` is the first, each rotation adds the next."""

    data_dir: Path
    log_id: str

    @property
    def folder(self) -> Path:
        return self.data_dir / "keys" / self.log_id

    def first(self) -> SigningKey:
        """The first key, made now if there is none. Raises Refused when the folder cannot be written or read."""
        return self._read(1) or self._made(1)

    def every(self) -> Iterator[SigningKey]:
        """The keys that there are, oldest first."""
        for number in count(1):
            key = self._read(number)
            if key is None:
                return
            yield key

    def following(self, verifier: str) -> SigningKey:
        """The key after this one, made now if there is none: a rotation that was interrupted goes on with it."""
        known = [str(key.verifier) for key in self.every()]
        if verifier not in known:
            raise self._missing(verifier)
        number = known.index(verifier) + 2
        return self._read(number) or self._made(number)

    def find(self, verifier: str) -> SigningKey:
        """The private key of this verifier key. Raises Refused saying what to do when it is not here."""
        for key in self.every():
            if str(key.verifier) == verifier:
                return key
        raise self._missing(verifier)

    def _missing(self, verifier: str) -> Refused:
        return Refused(
            f"The private key of {verifier} is not in {self.folder}, so nothing can be sealed here. Copy that folder "
            "from the machine that signed before, or run the worker there."
        )

    def _read(self, number: int) -> SigningKey | None:
        path = self.folder / f"{number}.pem"
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Refused(f"The key {path} cannot be read ({error}); the log is not sealed until it can.") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Refused(f"The key {path} is no Ed25519 key; put back the one that was made for this log.")
        return SigningKey(key_name(self.log_id), private)

    def _made(self, number: int) -> SigningKey:
        """A new key under its final name in one step: of two processes at once, both get the one that was first."""
        text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            fresh = self.folder / f".{secrets.token_hex(8)}"
            write_durably(fresh, text)
            with suppress(FileExistsError):
                os.link(fresh, self.folder / f"{number}.pem")
            fresh.unlink()
            sync_folder(self.folder)
        except OSError as error:
            raise Refused(
                f"The key cannot be kept in {self.folder} ({error.strerror}); set LODESTONE_DATA_DIR to a folder of "
                "your own."
            ) from error
        key = self._read(number)
        assert key is not None
        return key


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, and have it on the disk before anybody is told."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
