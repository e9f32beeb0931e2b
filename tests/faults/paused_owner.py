"""A process that folds or seals, and says when it is at the point where a test pauses it for longer than its lease.

`python -m tests.faults.paused_owner reading|folding|sealing URL FOLDER`; prints `here`, and
goes on when its standard input has ended; then what became of its work.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from events.envelope import Draft, Recorded
from events.errors import DomainError
from projections.folds.fold import Projection, Rows
from services.store.database import Database
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.sealing.checkpoints import Signed
from services.store.sealing.notes import SigningKey
from services.store.sealing.sealer import Sealer
from tests.store.projecting.counting import COUNTING, fold

OWNER = "paused"
LEASE_S = 1.0
IN_TRANSACTION_MS = 2000
"""As the service's own 30 s: how long the database lets a session stand still that holds others up."""


def here() -> None:
    """The point where the test pauses this process, which does nothing more until it is told to go on."""
    print("here", flush=True)
    sys.stdin.read()


class SlowLog(Log):
    """A log whose reader may be paused after it took the lease and before it opens its transaction."""

    def read(self, after: int, limit: int, until: int | None = None) -> list[Recorded]:
        page = super().read(after, limit, until)
        here()
        return page


def slow_fold(event: Recorded, rows: Rows) -> None:
    """The counting fold, which stands still at its third event, in the middle of its transaction."""
    if event.position == 3:
        here()
    fold(event, rows)


class Slow:
    """Stands still in the middle of a round of the sealer, in its transaction."""

    def seal(self, connection: Connection, signed: Signed, key: SigningKey) -> None:
        here()

    def drafts(self, connection: Connection, signed: Signed) -> Sequence[Draft]:
        return ()


def folding(database: Database, log: Log, projection: Projection) -> int:
    """Fold to the head; how many events moved on."""
    projector = Projector(database, log, (projection,), OWNER)
    projector.lease_s = LEASE_S
    projector.prepare()
    return projector.catch_up()


def sealing(database: Database, folder: Path) -> int:
    """Seal to the head; how many events that were."""
    sealer = Sealer(database, Log(database), folder, OWNER, (Slow(),))
    sealer.lease_s = LEASE_S
    return sealer.seal()


def main(what: str, url: str, folder: str) -> int:
    """Do it, and print what became of it."""
    option = f"-c idle_in_transaction_session_timeout={IN_TRANSACTION_MS}"
    database = Database(f"{url}&options={option.replace(' ', '%20').replace('=', '%3D')}", pool_size=2)
    slow: dict[str, Any] = {
        "reading": lambda: folding(database, SlowLog(database), COUNTING),
        "folding": lambda: folding(database, Log(database), replace(COUNTING, fold=slow_fold)),
        "sealing": lambda: sealing(database, Path(folder)),
    }
    try:
        print(f"done: {slow[what]()}", flush=True)
    except DomainError as error:
        print(f"refused: {error.detail}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
