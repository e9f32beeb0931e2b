"""A small disk of one's own: a file system in memory of a given size, which can be filled to its end and emptied."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

BLOCK = bytes(65_536)


class Disk:
    """A tmpfs at `folder`. Raises RuntimeError with what to do where neither root nor sudo may mount one."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True)
        _as_root("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711,uid={os.getuid()}", "tmpfs", str(folder))

    def fill(self) -> None:
        """Leave no room at all."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(BLOCK)
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(BLOCK[:512])

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount it, whoever still works in it."""
        _as_root("umount", "--lazy", str(self.folder))


def _as_root(*command: str) -> None:
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    done = subprocess.run([*sudo, *command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}. A disk of one's own needs root or sudo.")
