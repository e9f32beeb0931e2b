"""Service, worker and database killed at random moments under load: nothing acknowledged is lost, nothing doubles."""

import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.load import Bench, benches
from tests.journeys.running import Running
from tests.waiting import until

PARTS = ("service", "worker", "database")
LONGEST_S = 240.0


@dataclass
class Outcome:
    """What was killed, what became of the events, and how long it took until the killed part did its work again."""

    kills: Counter[str] = field(default_factory=Counter)
    takeovers_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    offered: int = 0
    acknowledged: int = 0
    stored: int = 0
    doubled: int = 0
    lost: int = 0

    def shown(self) -> dict[str, Any]:
        """As build/faults.json holds it; take-overs as the median and the longest, in s."""
        counts = {name: getattr(self, name) for name in ("offered", "acknowledged", "stored", "doubled", "lost")}
        times = {
            part: {"median": round(sorted(seconds)[len(seconds) // 2], 2), "longest": round(max(seconds), 2)}
            for part, seconds in self.takeovers_s.items()
        }
        return {"kills": {part: self.kills[part] for part in PARTS}, **counts, "takeovers_s": times}


@dataclass
class Killer:
    """Kills parts of one running installation, and sees when they work again."""

    running: Running
    headers: dict[str, str]
    left_alone: list[int] = field(default_factory=list)
    """Workers whose service was killed: they end by themselves."""

    def kill(self, part: str) -> None:
        """SIGKILL; who stands by it (the service for its worker, we for the service) starts another at once."""
        {"service": self._service, "worker": self._worker, "database": self._database}[part]()

    def _service(self) -> None:
        assert self.running.process is not None
        self.left_alone += children(self.running.process.pid)
        os.kill(self.running.process.pid, signal.SIGKILL)
        self.running.process.wait()
        self.running.begin("--no-decider")

    def _worker(self) -> None:
        os.kill(self.worker(), signal.SIGKILL)

    def worker(self) -> int:
        """The process id of the worker that the service started; waits for it while there is none."""

        def found() -> int | None:
            assert self.running.process is not None
            pids = [pid for pid in children(self.running.process.pid) if b"worker" in _command(pid)]
            return pids[0] if pids else None

        return int(self._until(found))

    def _database(self) -> None:
        lock = self.running.home / "data/postgres/data/postmaster.pid"

        def killed() -> bool:
            pid = int(lock.read_text().split()[0])
            alive = b"postgres" in _command(pid)
            if alive:
                os.kill(pid, signal.SIGKILL)
            return alive

        self._until(killed)  # where it is still away, as soon as somebody started it again

    def works_again(self, part: str) -> None:
        """Wait until the service is ready and, after a worker, until what was in the log then is folded."""
        head = self._until(lambda: self._status().get("position"))
        if part == "worker":
            self._until(lambda: min(each["position"] for each in self._status()["projections"].values()) >= head)

    def _status(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.running.url}/v1/status", headers=self.headers, timeout=20)
        return dict(answer.json()) if answer.status_code == 200 else {}

    def _until(self, asked: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            try:
                if found := asked():
                    return found
            except (
                httpx.TransportError,
                json.JSONDecodeError,
                KeyError,
                FileNotFoundError,
                IndexError,
                ProcessLookupError,
            ):
                pass
            time.sleep(0.05)
        raise AssertionError(f"it did not come back: {trouble(self.running)}")


def trouble(running: Running) -> str:
    """How the service ended, if it did, and the last that it said, beside its requests."""
    code = None if running.process is None else running.process.poll()
    lines = [line for line in running.words().splitlines() if '"event": "request"' not in line]
    return "\n".join([*([] if code is None else [f"the service ended with {code}"]), *lines[-40:]])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def children(pid: int) -> list[int]:
    """The child processes of a process, whichever of its threads started them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def kill_under_load(running: Running, kills: int, seed: int, say: Callable[[str], None], threads: int = 4) -> Outcome:
    """Kill this many times while benches post, bring all to its end, and check it. Raises AssertionError."""
    chance, outcome = random.Random(seed), Outcome()
    running.serve("--no-decider")
    headers = {"Authorization": f"Bearer {running.token('admin', 'load')}"}
    killer = Killer(running, headers)
    load = benches(lambda: httpx.Client(base_url=running.url, headers=headers, timeout=30), threads, seed)
    for bench in load:
        bench.start()
    parts = [PARTS[number % len(PARTS)] for number in range(kills)]
    chance.shuffle(parts)
    for number, part in enumerate(parts, 1):
        time.sleep(chance.uniform(0.05, 1.0))
        killer.kill(part)
        outcome.kills[part] += 1
        if chance.random() < 0.4:  # else the next kill may meet a part that is still coming back
            started = time.monotonic()
            killer.works_again(part)
            outcome.takeovers_s[part].append(time.monotonic() - started)
        say(f"{number} of {kills}: {part}")
    for bench in load:
        bench.ending.set()
    for bench in load:
        bench.join(LONGEST_S)
        assert not bench.is_alive(), f"a bench got no answer: {trouble(running)}"
    killer.works_again("worker")
    until(lambda: not [pid for pid in killer.left_alone if b"worker" in _command(pid)], lambda: trouble(running))
    check(running, load, outcome)
    return outcome


def check(running: Running, load: list[Bench], outcome: Outcome) -> None:
    """Every acknowledged event is stored once, where it was said to be; projections equal a rebuild; all verifies."""
    assert not [complaint for bench in load for complaint in bench.complaints]
    running.stop()
    lines = [json.loads(line) for line in running.command("export").stdout.splitlines()]
    where: dict[str, list[int]] = defaultdict(list)
    for position, event in enumerate(lines, 1):
        where[event["id"]].append(position)
    offered = {id for bench in load for id in bench.offered}
    acknowledged = {id: at for bench in load for id, at in bench.acknowledged.items()}
    outcome.offered, outcome.acknowledged = len(offered), len(acknowledged)
    outcome.stored = sum(id in where for id in offered)
    outcome.doubled = sum(len(places) > 1 for places in where.values())
    outcome.lost = sum(id not in where for id in acknowledged)
    assert (outcome.doubled, outcome.lost) == (0, 0), outcome
    assert outcome.stored == outcome.acknowledged == outcome.offered, outcome
    assert {id: where[id][0] for id in acknowledged} == acknowledged
    verified = running.json("verify")
    assert verified["verified"], verified
    running.json("rebuild")
    again = running.json("digest")
    assert (again["position"], again["digests"]) == (verified["position"], verified["projections"])
