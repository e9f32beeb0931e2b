"""What is done to a plant: kills, pauses longer than a lease, cut and slow lines, and a group that is never at rest."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from kafka.errors import KafkaError

from events.errors import DomainError
from services.store.leases import LEASE_S
from services.transports.kafka.connecting import Cluster
from tests.faults.stack.arriving import not_brought, not_told, published
from tests.faults.stack.plant import Plant
from tests.waiting import PATIENCE_S

EACH = ("service", "worker", "shard", "relay", "broker", "database")
KILLED = (*EACH, *EACH[:4])
"""In what proportion; engines take longest to come back."""
TROUBLED = 0.25
"""How often something else happens than a kill."""
LONGEST_S = 180.0
"""How long something may stand still before it counts as not coming back: machines that run this are busy."""


@dataclass
class Outcome:
    """What was done, what became of the events, and how long it took until a killed part did its work again."""

    kills: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    takeovers_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, int] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As build/faults.json holds it; take-overs as the median and the longest, in s."""
        times = {
            part: {"median": round(sorted(seconds)[len(seconds) // 2], 2), "longest": round(max(seconds), 2)}
            for part, seconds in self.takeovers_s.items()
        }
        return {
            "kills": {**self.kills, "all": self.kills.total()},
            "troubles": dict(self.troubles),
            **self.counts,
            "takeovers_s": times,
        }


class Faults:
    """Does it to one plant, and sees when what was killed works again."""

    def __init__(self, plant: Plant, token: str, chance: random.Random) -> None:
        self.plant = plant
        self.headers = {"Authorization": f"Bearer {token}"}
        self.chance = chance
        self.outcome = Outcome()

    def run(self, kills: int, say: Callable[[str], None]) -> None:
        """This many kills, with other troubles in between."""
        parts = [KILLED[number % len(KILLED)] for number in range(kills)]
        self.chance.shuffle(parts)
        for number, part in enumerate(parts, 1):
            time.sleep(self.chance.uniform(0.05, 1.0))
            self.plant.stand_by()
            if self.chance.random() < TROUBLED:
                say(f"{number} of {kills}: {self._trouble()}")
            # Else the next fault may meet a part that is still coming back.
            self._kill(part, wait=self.chance.random() < 0.3)
            say(f"{number} of {kills}: {part} killed")

    def each_once(self, say: Callable[[str], None]) -> None:
        """Every line is reset, every part killed, and one waited for; the short version."""
        for name, proxy in self.plant.proxies.items():
            proxy.reset()
            self.outcome.troubles["reset"] += 1
            say(f"{name}: reset")
        for part in EACH:
            self._kill(part, wait=part == EACH[-1])
            say(f"{part} killed")

    def _kill(self, part: str, *, wait: bool) -> None:
        started = time.monotonic()
        if part == "broker":
            self.plant.broker.kill()
            self.plant.broker.revive()
        elif part == "database":
            self.plant.postgres.kill()
            self.plant.postgres.revive()
        else:
            self.chance.choice(self.plant.of_kind(part)).kill()
        self.outcome.kills[part] += 1
        if wait:
            self.works_again(part)
            self.outcome.takeovers_s[part].append(time.monotonic() - started)

    def _trouble(self) -> str:
        kind = self.chance.choice(("line", "line", "pause", "rebalance"))
        if kind == "line":
            name = self.chance.choice(sorted(self.plant.proxies))
            kind = f"{name}: {self.plant.proxies[name].trouble(self.chance, self.chance.uniform(0.5, 4.0))}"
            self.outcome.troubles[kind.rpartition(": ")[2]] += 1
            return kind
        self.outcome.troubles[kind] += 1
        if kind == "pause":
            return self._pause()
        self._rebalance()
        return kind

    def _pause(self) -> str:
        """Stop one that may hold a lease for longer than that, then let it go on."""
        process = self.chance.choice([*self.plant.of_kind("worker"), *self.plant.of_kind("relay")])
        process.signal(signal.SIGSTOP)
        time.sleep(LEASE_S + 1.0)
        process.signal(signal.SIGCONT)
        return f"{process.name} paused for longer than its lease"

    def _rebalance(self) -> None:
        """Another member of the group comes, and goes as it came: in order or killed."""
        command = [sys.executable, "-m", "services.cli", "worker", "--no-fold", "--ingress"]
        environment = self.plant.environment("worker-0")
        other = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(self.chance.uniform(2.0, 5.0))
        other.send_signal(self.chance.choice((signal.SIGTERM, signal.SIGKILL)))
        try:
            other.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            other.kill()
            raise

    def works_again(self, part: str) -> None:
        """Wait until the doors answer, and after others until what was in the log then is folded or published."""
        head = self._until(lambda: self._status().get("position"), lambda position: position > 0)
        if part in ("worker", "shard", "database"):
            self._until(self._folded, lambda position: position >= head)
        if part in ("relay", "broker"):
            self._until(self._published, lambda position: position >= head)

    def settled(self) -> None:
        """Wait until everything that was published is in the log or refused and told, folded and published.

        However long that takes. The broker's own ends are compared with the cursors in the log's database: what
        processes report of their lag may be from before the faults.
        """
        ends = self._until(lambda: published(Cluster(self.plant.kafka)), bool)
        self._until(lambda: not_brought(self.plant.addresses.service, ends), lambda missing: missing == 0)
        self._until(lambda: not_told(self.plant.addresses.service), lambda waiting: waiting == 0)
        for part in ("worker", "relay"):
            self.works_again(part)

    def _folded(self) -> int:
        return min(int(one["position"]) for one in self._status()["projections"].values())

    def _published(self) -> int:
        return int(self._status()["relay"]["position"] or 0)

    def door(self) -> str:
        """A service, past the proxies."""
        return f"http://127.0.0.1:{self.chance.choice(sorted(self.plant.ports.values()))}"

    def _status(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.door()}/v1/status", headers=self.headers, timeout=20)
        return dict(answer.json()) if answer.status_code == 200 else {}

    def _until(self, asked: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
        """Ask until it is enough; what moves has all the time that it needs."""
        deadline, before, found = time.monotonic() + LONGEST_S, None, None
        while time.monotonic() < deadline:
            self.plant.stand_by()
            try:
                found = asked()
            except (httpx.HTTPError, psycopg.Error, KafkaError, DomainError, KeyError, ValueError):
                found = None
            if found is not None and enough(found):
                return found
            if found is not None and found != before:
                before, deadline = found, time.monotonic() + LONGEST_S
            time.sleep(0.1)
        words = self._last_words()
        raise AssertionError(f"it did not come back, and stands at {before}: {words}\n{self.plant.trouble()}")

    def _last_words(self) -> str:
        words = []
        for path in ("/v1/status", "/metrics", "/readyz"):
            try:
                words.append(httpx.get(f"{self.door()}{path}", headers=self.headers, timeout=20).text)
            except httpx.HTTPError as error:
                words.append(repr(error))
        (self.plant.home / "last-words.txt").write_text("\n".join(words))
        return words[0]


def joined(threads: list[threading.Thread], plant: Plant) -> None:
    """Wait until every bench got its last answer. Raises AssertionError."""
    deadline = time.monotonic() + LONGEST_S
    for thread in threads:
        while thread.is_alive() and time.monotonic() < deadline:
            plant.stand_by()
            thread.join(0.5)
        assert not thread.is_alive(), f"{thread.name} got no answer\n{plant.trouble()}"
