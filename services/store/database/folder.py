"""The data folder of the embedded PostgreSQL: made once, ours or our user's, with its secrets, socket and format."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from secrets import token_urlsafe

from events.errors import Unavailable
from services.store.database.binaries import Account

OWNER = "lodestone_owner"
SERVICE = "lodestone_service"
DATA_FORMAT = 1
"""Raised when the layout of the data folder changes; an older program refuses a newer folder."""


class DataFolder:
    """The folder at `path`; what the server has to reach in it belongs to `user`."""

    def __init__(self, path: Path, user: Account, *, unsafe_fast: bool) -> None:
        self.path = path
        self.user = user
        self.unsafe_fast = unsafe_fast
        self.data = path / "data"

    @property
    def socket(self) -> Path:
        """The private socket folder; a short path, since a socket's may not pass about 100 characters."""
        near = self.path / "socket"
        if len(str(near)) < 80:
            return near
        # Not the folder that TMPDIR names: every process that shares this server has to find the same one.
        digest = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]
        return Path("/tmp") / f"lodestone-{digest}"

    def make(self) -> None:
        """Make it unless it is there. Raises Unavailable with one sentence when it cannot be used."""
        if not self.path.exists():
            try:
                self.path.mkdir(parents=True, mode=0o711)
            except OSError as error:
                raise Unavailable(
                    f"The folder {self.path} cannot be made ({error.strerror}); set LODESTONE_DATA_DIR to a folder "
                    "of your own."
                ) from error
            self.give(self.path)
        if not self.path.is_dir():
            raise Unavailable(f"{self.path} is not a folder; set LODESTONE_DATA_DIR to a folder of your own.")
        if self.user.name is not None and self.user.run("test", "-x", self.path, check=False).returncode != 0:
            raise Unavailable(
                f"The system user '{self.user.name}' cannot reach {self.path}: a folder above it is closed. "
                "Set LODESTONE_DATA_DIR to a folder that it can reach, e.g. /var/lib/lodestone."
            )
        if not os.access(self.path, os.W_OK):
            raise Unavailable(f"{self.path} cannot be written; set LODESTONE_DATA_DIR to a folder of your own.")
        self._check_format()
        if not self.socket.exists():
            self.socket.mkdir(mode=0o700)
            self.give(self.socket)
        if self.socket.stat().st_uid != self.user.uid:
            raise Unavailable(
                f"{self.socket} belongs to another user; remove it, or choose another LODESTONE_DATA_DIR."
            )

    def _check_format(self) -> None:
        mark = self.path / "FORMAT"
        found = mark.read_text().strip() if mark.exists() else str(DATA_FORMAT)
        if not found.isdecimal():
            raise Unavailable(f"{mark} should hold a number but holds '{found}': this is not a data folder of ours.")
        if int(found) > DATA_FORMAT:
            raise Unavailable(
                f"The data folder {self.path} was written by a newer Lodestone (format {found}, "
                f"this program knows {DATA_FORMAT}). Use that newer release, or another LODESTONE_DATA_DIR."
            )
        if not mark.exists():
            mark.write_text(f"{DATA_FORMAT}\n")

    def give(self, path: Path) -> None:
        """Let our user own this."""
        if self.user.name is not None:
            shutil.chown(path, self.user.uid, self.user.gid)

    def initialise(self, programs: Path) -> None:
        """Run `initdb` of these programs unless that was done. Raises Unavailable, also for data of another release."""
        if (self.data / "PG_VERSION").exists():
            found = (self.data / "PG_VERSION").read_text().strip()
            if found != "18":
                raise Unavailable(f"{self.data} belongs to PostgreSQL {found}; this program brings PostgreSQL 18.")
            return
        shutil.rmtree(self.data, ignore_errors=True)
        made = {role: token_urlsafe(24) for role in ("postgres", OWNER, SERVICE)}
        self._write(made)
        with tempfile.NamedTemporaryFile("w", dir=self.socket, suffix=".pw") as file:
            file.write(made["postgres"] + "\n")
            file.flush()
            self.give(Path(file.name))
            part = self.path / "data.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            self.give(part)
            options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", f"--pwfile={file.name}"]
            options += ["--no-sync"] * self.unsafe_fast
            done = self.user.run(programs / "initdb", "-D", part, "-U", "postgres", *options, check=False)
        if done.returncode != 0:
            raise Unavailable(f"The embedded database could not be made in {self.path}: {done.stderr.strip()}")
        part.rename(self.data)

    def _write(self, made: dict[str, str]) -> None:
        path = self.path / "secrets.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)

    def secrets(self) -> dict[str, str]:
        """The passwords by role."""
        kept: dict[str, str] = json.loads((self.path / "secrets.json").read_text())
        return kept
