"""The work whose memory is measured, in a process of its own that loads what the command line loads, and no more."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from services import settings
from services.exchange.importing import OPERATOR, import_files
from services.wiring import parts

PARTS = (0.25, 0.5, 1.0)


class Peaks:
    """The peak of this process's resident memory (MB) when each part of the work was done."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def at(self, done: float) -> None:
        """`done` of 1 is done."""
        while len(self.seen) < len(PARTS) and done >= PARTS[len(self.seen)]:
            self.seen.append(peak_MB())


def peak_MB() -> float:
    """The highest resident memory that this process ever had (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def importing(path: Path, peaks: Peaks) -> None:
    """As `lodestone import --no-decider`: append, then fold."""
    total, read = path.stat().st_size, 0

    def advance(count: int) -> None:
        nonlocal read
        read += count
        peaks.at(read / total / 2)

    with parts(settings.load()) as here:
        here.prepare()
        summary = import_files(here.ingest, [path], OPERATOR, advance)
        assert summary.rejected == 0, summary.problems
        here.projector.reach_head(progress=lambda at, to: peaks.at(0.5 + at / to / 2))
        peaks.at(1.0)


def _progress(peaks: Peaks, done: int, of: int) -> Callable[[int, int], None]:
    return lambda at, to: peaks.at((done + at / to) / of)


def rebuilding(path: Path, peaks: Peaks) -> None:
    """As `lodestone rebuild`: every projection, one after the other."""
    with parts(settings.load()) as here:
        here.prepare()
        names = sorted(here.projector.projections)
        for done, name in enumerate(names):
            here.projector.rebuild(name, _progress(peaks, done, len(names)))
        peaks.at(1.0)


WORK: dict[str, Callable[[Path, Peaks], None]] = {"import": importing, "rebuild": rebuilding}

if __name__ == "__main__":
    seen = Peaks()
    WORK[sys.argv[1]](Path(sys.argv[2]), seen)
    print(json.dumps(seen.seen))
