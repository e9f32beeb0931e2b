"""Reports: what worker, ingress, relay and shards say about themselves each second, for the doors to show."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from events.errors import Unavailable
from services.store.database import Database

PERIOD_S = 1.0
STALE_S = 10.0
"""After this long without a word a process counts as gone."""
FORGOTTEN_S = 600.0
"""After this long nobody asks any more what became of it."""

Figures = Mapping[str, float | Mapping[tuple[str, ...], float]]
"""Measurements by their name in `services.measurements.catalogue`: a number, or one for each set of label values."""

_words = structlog.get_logger("reports")

_SAY = text(
    "INSERT INTO process_reports (name, owner, at, body) VALUES (:name, :owner, clock_timestamp(), :body) "
    "ON CONFLICT (name, owner) DO UPDATE SET at = excluded.at, body = excluded.body"
).bindparams(bindparam("body", type_=JSONB))
_FORGET = text("DELETE FROM process_reports WHERE at < clock_timestamp() - make_interval(secs => :seconds)")
_WITHDRAW = text("DELETE FROM process_reports WHERE name = :name AND owner = :owner")
_READ = text(
    "SELECT name, owner, extract(epoch FROM clock_timestamp() - at)::float AS age_s, body "
    "FROM process_reports ORDER BY name, owner"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What one process last said in one role, and how long ago by the database's clock."""

    name: str
    owner: str
    age_s: float
    body: dict[str, Any]

    @property
    def living(self) -> bool:
        """Whether it spoke lately enough to be taken for alive."""
        return self.age_s <= STALE_S


def body(state: str, detail: str | None = None, figures: Figures | None = None) -> dict[str, Any]:
    """A report in the shape that `/readyz` and `/metrics` read.

    `state` is one word (`working`, `standby`, `waiting`, `stopping`); `detail` one sentence that says what is wrong and
    what to do, or None when all is well.
    """
    rows: list[list[Any]] = []
    for name, value in (figures or {}).items():
        cells = value.items() if isinstance(value, Mapping) else [((), value)]
        rows += [[name, list(labels), number] for labels, number in cells]
    return {"state": state, "detail": detail, "figures": rows}


def report(database: Database, name: str, owner: str, body: Mapping[str, Any]) -> bool:
    """Say this in place of what this process said before; False when it was not kept.

    A report is never worth a failure: a database that is away, only read or not migrated yet is passed over.
    """
    return _write(database, [(_SAY, {"name": name, "owner": owner, "body": dict(body)}), (_FORGET, _OLD)])


def withdraw(database: Database, name: str, owner: str) -> bool:
    """A process that ends in order takes its report with it."""
    return _write(database, [(_WITHDRAW, {"name": name, "owner": owner})])


_OLD = {"seconds": FORGOTTEN_S}


def _write(database: Database, statements: list[tuple[Any, dict[str, Any]]]) -> bool:
    try:
        with database.begin() as connection:
            # Nobody waits for the disk on account of a report, nor behind a lock.
            connection.execute(text("SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 2000"))
            for statement, values in statements:
                connection.execute(statement, values)
    except (Unavailable, DBAPIError) as error:
        _words.debug("not reported", reason=f"{type(error).__name__}: {error}")
        return False
    return True


def reports(database: Database) -> list[Report]:
    """What every process last said, living or not, by name and owner. Raises Unavailable."""
    with database.connect() as connection:
        return [Report(row.name, row.owner, row.age_s, row.body) for row in connection.execute(_READ)]


class Reporter:
    """Reports once a second from a thread of its own, so that a long turn of the work is seen as one.

    `says` is called in that thread and must only read what the work leaves behind. Used with `with`; at the end the
    report is withdrawn, and a process that was killed leaves its last one to go stale.
    """

    def __init__(self, database: Database, name: str, owner: str, says: Callable[[], Mapping[str, Any]]) -> None:
        self.database = database
        self.name = name
        self.owner = owner
        self.says = says
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reports-{name}", daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5.0)
        withdraw(self.database, self.name, self.owner)

    def _run(self) -> None:
        while True:
            report(self.database, self.name, self.owner, self.says())
            if self._ended.wait(PERIOD_S):
                return
