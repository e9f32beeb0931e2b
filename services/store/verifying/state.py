"""The projections folded again from the log, compared with the live ones and with the digests that were recorded."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import select

from events import catalogue
from events.catalogue import type_of
from events.envelope import Recorded, decode
from events.rules.ledger import StateDigestRecorded
from projections.folds.memory import DictRows, fold_one, state_digest
from services.store.database import Database
from services.store.projecting.projector import Projector
from services.store.tables import log_events
from services.store.verifying.stored import Stored

RECORDED = type_of(StateDigestRecorded)


class State:
    """Folds every event a second time, up to where the live projections were when the verification began."""

    def __init__(self, database: Database, projector: Projector) -> None:
        self.projections = projector.projections
        self.until, self.live = projector.digests()
        self.homes = {name: DictRows(projection.row_types) for name, projection in self.projections.items()}
        self.checked = 0
        self._recorded = _recorded(database)

    def take(self, events: Iterable[Stored]) -> list[str]:
        """Fold these events; what differs from the digests that were recorded for positions among them."""
        problems = list[str]()
        for stored in events:
            if stored.position > self.until:
                break
            self._fold(decode(stored.position, stored.body))
            problems += self._compare(stored.position)
        return problems

    def end(self) -> tuple[dict[str, str], list[str]]:
        """The live digests, and what is wrong with them."""
        problems = [
            f"The projection {name} differs from the log folded again; `lodestone rebuild {name}`."
            for name, rows in self.homes.items()
            if state_digest(rows) != self.live[name]
        ]
        return self.live, problems

    def _fold(self, event: Recorded) -> None:
        newest = catalogue.upcast(event)
        for name, projection in self.projections.items():
            fold_one(projection, newest, self.homes[name])

    def _compare(self, position: int) -> list[str]:
        """The digests recorded for this position; one made by another version of a fold says nothing about ours."""
        problems = []
        for name, (version, digest) in self._recorded.get(position, ()):
            if name in self.homes and self.projections[name].version == version:
                self.checked += 1
                if state_digest(self.homes[name]) != digest:
                    problems.append(f"Position {position}: the recorded digest of {name} is not that of the log.")
        return problems


def _recorded(database: Database) -> dict[int, Sequence[tuple[str, tuple[int, str]]]]:
    """The recorded digests by position."""
    table = log_events
    query = select(table.c.body).where(table.c.type == RECORDED).order_by(table.c.position)
    found = dict[int, list[tuple[str, tuple[int, str]]]]()
    with database.connect() as connection:
        for body in connection.execute(query).scalars():
            data = orjson.loads(bytes(body))["data"]
            digests = [(name, (one["version"], one["digest"])) for name, one in data["digests"].items()]
            found.setdefault(data["position"], []).extend(digests)
    return {position: tuple(digests) for position, digests in found.items()}
