"""The projections folded again from the log, compared with the live ones and with the digests that were recorded."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import select

from events import catalogue
from events.catalogue import type_of
from events.envelope import Recorded, decode
from events.rules.ledger import StateDigestRecorded
from projections.folds.memory import DictRows, state_digest
from services.store.database import Database
from services.store.projecting.folding import POISON, Earlier
from services.store.projecting.projector import Projector
from services.store.tables import log_events
from services.store.verifying.stored import Stored

RECORDED = type_of(StateDigestRecorded)


class State:
    """Folds every event a second time, up to where the live projections were when the verification began."""

    def __init__(self, database: Database, projector: Projector) -> None:
        self.projections = projector.projections
        self.until, self.live = projector.digests()
        self.earlier = Earlier(projector.log, 0)
        self.homes = {
            name: DictRows(projection.row_types, self.earlier) for name, projection in self.projections.items()
        }
        self.refused = set[str]()
        self.checked = 0
        self._recorded = _recorded(database)

    def take(self, events: Iterable[Stored]) -> list[str]:
        """Fold these events; what differs from the digests that were recorded for positions among them."""
        problems, page = list[str](), list[Recorded]()
        for stored in events:
            if stored.position > self.until:
                break
            page.append(catalogue.upcast(decode(stored.position, stored.body)))
            if stored.position in self._recorded:
                self._fold(page)
                problems += self._compare(stored.position)
                page = []
        self._fold(page)
        return problems

    def end(self) -> tuple[dict[str, str], list[str]]:
        """The live digests, and what is wrong with them."""
        problems = [
            f"The projection {name} differs from the log folded again; `lodestone rebuild {name}`."
            for name, rows in self.homes.items()
            if name not in self.refused and state_digest(rows) != self.live[name]
        ]
        problems += [
            f"The projection {name} could not be folded again: the log holds an event that it does not take."
            for name in sorted(self.refused)
        ]
        return self.live, problems

    def _fold(self, page: Sequence[Recorded]) -> None:
        if not page:
            return
        self.earlier.until = page[0].position - 1
        for name, projection in self.projections.items():
            mine = [event for event in page if event.type in projection.types]
            try:
                projection.fold_events(mine, self.homes[name])
            except POISON:
                self.refused.add(name)

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
