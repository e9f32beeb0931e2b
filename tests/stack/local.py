"""A stack of a test's own: its folder, its four ports, and the commands that a person would type."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from services.stack.home import KAFKA_BESIDE, POSTGRES_BESIDE, Home
from services.stack.ports import claim, free_port
from tests.processes import environment
from tests.waiting import PATIENCE_S


def free_ports() -> int:
    """A first port whose stack nobody is in the way of."""
    while True:
        first = free_port()
        if all(claim(first + beside) for beside in (1, POSTGRES_BESIDE, KAFKA_BESIDE)):
            return first


class LocalStack:
    """`make stack` and its sisters, and `lodestone` in the environment that the stack writes down."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="lodestone-stack-"))
        self.home.chmod(0o711)
        self.folder = self.home / "stack"
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.plain = environment()
        self.environment = environment(self.home, port=self.port, kafka_prefix="plant-7")

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`python -m services.stack …`, to its end."""
        command = [sys.executable, "-m", "services.stack", *words]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0 or not check, done.stderr + self.logs()
        return done

    @property
    def here(self) -> Home:
        """The folder, as the stack itself sees it."""
        return Home(self.folder, "127.0.0.1", self.port, self.url)

    def parts(self) -> dict[str, Any]:
        """How every part is."""
        found: dict[str, Any] = self.here.state()["parts"]
        return found

    def well(self) -> bool:
        """Whether a supervisor runs and every part is well."""
        return self.here.is_kept() and all(part.get("state") in ("ready", "done") for part in self.parts().values())

    def pids(self) -> dict[str, int]:
        """The process of every part."""
        return {name: part["pid"] for name, part in self.parts().items()}

    @property
    def supervisor(self) -> int:
        """The process that keeps the parts."""
        return int(self.here.state()["supervisor"])

    def told(self) -> dict[str, str]:
        """What a shell knows that read the stack's environment file."""
        command = ["sh", "-c", f". '{self.folder}/environment'; env -0"]
        shell = subprocess.run(command, env=self.plain, capture_output=True, text=True, check=True)
        return dict(line.split("=", 1) for line in shell.stdout.split("\0") if "=" in line)

    def lodestone(self, *words: str) -> dict[str, Any]:
        """The JSON that a command of `lodestone` prints."""
        command = [sys.executable, "-m", "services.cli", *words, "--json"]
        done = subprocess.run(command, env=self.told(), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr + self.logs()
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def client(self, role: str, name: str) -> httpx.Client:
        """An HTTP client of the first service with a new token."""
        command = [sys.executable, "-m", "services.cli", "token", "create", "--role", role, "--name", name]
        done = subprocess.run(command, env=self.told(), capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)

    def logs(self) -> str:
        """The last words of every part."""
        paths = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-600:]}" for path in paths)

    def remove(self) -> None:
        """End what still runs, and take the folder away."""
        self.run("down", check=False)
        shutil.rmtree(self.home, ignore_errors=True)
