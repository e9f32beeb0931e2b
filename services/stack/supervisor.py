"""The supervisor: keeps every part of the stack running, one thread for each, and writes down how they are."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from events.errors import DomainError
from services.settings import PREFIX
from services.stack.engines import Kafka, Postgres
from services.stack.home import Home, born
from services.stack.processes import Process, told_to
from services.stack.topology import PARTS, SHELL, Places

LOOK_S = 0.2
ASK_S = 1.0
FIRST_REST_S, LONGEST_REST_S = 0.5, 30.0
LOCK_S = 5.0

_words = structlog.get_logger("stack")


class Kept(Protocol):
    """What can be kept running."""

    name: str

    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def alive(self) -> bool: ...
    def trouble(self) -> str | None: ...
    def ended(self) -> str | None: ...
    def stop(self) -> str | None: ...


class Keeper:
    """Keeps one part: starts it when what it waits for is well, looks after it, starts it again when it died."""

    def __init__(
        self, kept: Kept, after: tuple[str, ...], once: bool, well: Callable[[str], bool], stop: threading.Event
    ) -> None:
        self.kept = kept
        self.after = after
        self.once = once
        self.well = well
        self.stopping = stop
        self.starts = 0
        self.state = "waiting"
        self.detail: str | None = f"Waits for {', '.join(after)}." if after else None
        self.since = _now()
        self.thread = threading.Thread(target=self._keep, name=kept.name, daemon=True)

    def says(self, state: str, detail: str | None = None) -> None:
        """Note how the part is, and say so in the log when that changed."""
        if state != self.state:
            self.since = _now()
            _words.info(state, part=self.kept.name, pid=self.kept.pid, detail=detail)
        self.state, self.detail = state, detail

    def shown(self) -> dict[str, Any]:
        """As the state file has it."""
        shown = {"state": self.state, "pid": self.kept.pid, "since": self.since, "starts": self.starts}
        return {**shown, "born": getattr(self.kept, "born", None), "detail": self.detail}

    def _keep(self) -> None:
        rest = FIRST_REST_S
        while not self.stopping.is_set():
            if not all(self.well(name) for name in self.after):
                self.stopping.wait(LOOK_S)
                continue
            was_well, trouble = self._once()
            if trouble is None or self.stopping.is_set():
                return
            self.says("failed", trouble)
            rest = FIRST_REST_S if was_well else rest
            self.stopping.wait(rest)
            rest = min(2 * rest, LONGEST_REST_S)

    def _once(self) -> tuple[bool, str | None]:
        """One life of the part: whether it was ever well, and how it ended (None: as it should)."""
        self.says("starting")
        if not self.kept.alive():
            self.starts += 1
        try:
            self.kept.start()
        except DomainError as error:
            return False, error.detail
        was_well, asked = False, 0.0
        while not self.stopping.is_set() and self.kept.alive():
            if time.monotonic() - asked > (ASK_S if was_well else LOOK_S):
                trouble = "It is at work." if self.once else self.kept.trouble()
                was_well = was_well or trouble is None
                self.says("starting" if not was_well else "ready" if trouble is None else "not ready", trouble)
                asked = time.monotonic()
            self.stopping.wait(LOOK_S)
        if self.stopping.is_set():
            return was_well, None
        ended = self.kept.ended()
        if ended is None:
            self.says("done")
        return was_well, ended


class Supervisor:
    """Keeps the whole stack until it is told to stop, then ends it in order."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.stopping = threading.Event()
        self.postgres, self.kafka = Postgres(home), Kafka(home)
        self.processes = [Process(part, home, self.places, self.postgres.database) for part in PARTS]
        everything: list[tuple[Kept, tuple[str, ...], bool]] = [(self.postgres, (), False), (self.kafka, (), False)]
        everything += [(process, process.part.after, process.part.once) for process in self.processes]
        self.keepers = {
            kept.name: Keeper(kept, after, once, self._well, self.stopping) for kept, after, once in everything
        }
        self._adopt()

    def places(self) -> Places:
        """Where everything is, once PostgreSQL was started."""
        home, addresses = self.home, self.postgres.addresses
        return Places(
            data_dir=str(home.folder),
            host=home.host,
            port=home.port,
            public_url=home.public_url,
            database_url=addresses.service,
            database_owner_url=addresses.owner,
            kafka=self.kafka.broker.address,
        )

    def _adopt(self) -> None:
        """Go on with what an earlier supervisor left running."""
        known = self.home.state()["parts"]
        for process in self.processes:
            found = known.get(process.name, {})
            process.adopt(found.get("pid"), found.get("born"))

    def _well(self, name: str) -> bool:
        return self.keepers[name].state in ("ready", "done")

    def run(self) -> None:
        """Keep everything until SIGTERM, then end it in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        for keeper in self.keepers.values():
            keeper.thread.start()
        kept = False
        while not self.stopping.wait(LOOK_S):
            if self._well("postgres") and not kept:
                told = told_to(SHELL, self.places())
                self.home.keep_environment({name: told[name] for name in sorted(told) if name.startswith(PREFIX)})
                kept = True
            self._write()
        self.end(lambda _: None)

    def _write(self) -> None:
        self.home.keep_state(
            {"supervisor": os.getpid(), "parts": {name: keeper.shown() for name, keeper in self.keepers.items()}}
        )

    def end(self, say: Callable[[str], None]) -> None:
        """End every part: doors first, then workers and relay, then the engines that all of them use."""
        self.stopping.set()
        for keeper in self.keepers.values():
            if keeper.thread.is_alive():
                keeper.thread.join(STOPPING_S)
        doors = [process for process in self.processes if process.part.door is not None]
        for group in (doors, [p for p in self.processes if p not in doors], [self.kafka], [self.postgres]):
            self._end_together(group, say)

    def _end_together(self, group: Any, say: Callable[[str], None]) -> None:
        threads = [threading.Thread(target=self._end_one, args=(kept, say)) for kept in group]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._write()

    def _end_one(self, kept: Kept, say: Callable[[str], None]) -> None:
        keeper, ran = self.keepers[kept.name], kept.pid is not None and born(kept.pid) is not None
        try:
            trouble = kept.stop()
        except DomainError as error:
            keeper.says("failed", error.detail)
            say(f"  {kept.name}: {error.detail}")
            return
        keeper.says("ended", trouble)
        if ran:
            say(f"  {kept.name:<10} {trouble or 'ended'}")


STOPPING_S = 90.0
"""How long a start that is at hand is waited for."""


def supervise(home: Home) -> int:
    """Be the supervisor of this stack until told to stop; the exit code."""
    deadline = time.monotonic() + LOCK_S
    while time.monotonic() < deadline:
        with home.kept() as ours:
            if ours:
                Supervisor(home).run()
                return 0
        time.sleep(LOOK_S)
    sys.stderr.write("Another supervisor keeps this stack.\n")
    return 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
