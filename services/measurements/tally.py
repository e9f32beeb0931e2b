"""The tally of a process without a door: counts and values by their name in the catalogue, for its report."""

import os
import threading
import time
from collections import defaultdict
from pathlib import Path

from services.measurements.catalogue import METRICS

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")


class Tally:
    """What a worker, ingress, relay or shard counts about itself; any thread may count, any may read.

    Label values come in the order of the catalogue. A name that the catalogue does not have raises KeyError.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self._lock = threading.Lock()
        self._cells: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)

    def add(self, name: str, amount: float = 1.0, *labels: str) -> None:
        """Count this much more."""
        self._check(name, labels)
        with self._lock:
            cells = self._cells[name]
            cells[labels] = cells.get(labels, 0.0) + amount

    def set(self, name: str, value: float, *labels: str) -> None:
        """This is the value now."""
        self._check(name, labels)
        with self._lock:
            self._cells[name][labels] = value

    def forget(self, name: str) -> None:
        """Nothing of this name is true any more, as of partitions that went to another process."""
        with self._lock:
            self._cells.pop(name, None)

    def timed(self, name: str, seconds: float, *labels: str) -> None:
        """One more of these took so long."""
        self._check(name, labels)
        with self._lock:
            for suffix, amount in (("_count", 1.0), ("_sum", seconds)):
                cells = self._cells[name + suffix]
                cells[labels] = cells.get(labels, 0.0) + amount

    def figures(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Everything counted, and what the process itself uses."""
        self.set("lodestone_process_cpu_seconds_total", time.process_time(), self.role)
        memory = _resident()
        if memory is not None:
            self.set("lodestone_process_resident_memory_bytes", memory, self.role)
        with self._lock:
            return {name: dict(cells) for name, cells in self._cells.items()}

    @staticmethod
    def _check(name: str, labels: tuple[str, ...]) -> None:
        wanted = METRICS[name].labels
        if len(labels) != len(wanted):
            raise KeyError(f"{name} takes the labels {wanted}, not {labels}")


def _resident() -> float | None:
    """Resident memory in bytes, where the system tells."""
    try:
        return float(_STATM.read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return None
