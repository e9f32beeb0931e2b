"""`python -m tests.faults.clocked FILE COMMAND…`: a process of ours whose wall clock is wrong by the seconds in FILE.

Ours asks `wall_clock`, the Kafka client `time.time`; what counts seconds asks clocks that do not jump.
(libfaketime would need a package, and breaks Python's `time.sleep`.)
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.store import log
from services.store.log import writer


def wrong(file: Path) -> None:
    """From now on the wall clock of this process is wrong, by as much as the file says at each moment."""
    right = time.time

    def seconds() -> float:
        return float(file.read_text() or 0)

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds())

    time.time = lambda: right() + seconds()
    log.wall_clock = writer.wall_clock = clock


def main() -> None:
    """Run the command under that clock."""
    wrong(Path(sys.argv.pop(1)))
    from services.cli import main as run

    run()


if __name__ == "__main__":
    main()
