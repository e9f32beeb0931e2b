"""Telling the log which events projections set aside, and which of them were folded later.

What is told follows from what is set aside and what the log says already: a process that is killed in between, several
that tell at once, and a rebuild that sets the same aside again say nothing twice, and nothing is left out.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from events.catalogue import type_of
from events.envelope import Draft, Recorded, utc_text
from events.errors import IdentityConflict
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.rules.ledger import EventParked, EventReleased
from services.store.log import Append, Log
from services.store.sealing.ledger.reading import SOURCE, log_id
from services.store.tables import log_events, of_types, parked_events, reached
from services.store.tables import projection_checkpoints as checkpoints

PARKED, RELEASED = type_of(EventParked), type_of(EventReleased)
AT_ONCE = 500
Place = tuple[str, int]
"""A projection, and the position of an event."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """What readers see of a projection: the version of its fold, and how far that is."""

    version: int
    position: int


@dataclass(frozen=True, slots=True)
class _Aside:
    """Why an event is set aside now, and since when."""

    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log last said of an event: by which version it was set aside (None: released), and how often before."""

    version: int | None = None
    releases: int = 0


class Parkings:
    """What one process knows of what was told. Not for several threads at once."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._told: dict[Place, _Told] = {}
        self._read_to = 0

    def tell(self) -> int:
        """Append what the log does not say yet; how many events. Raises Unavailable while nothing may be appended."""
        with self.log.database.snapshot() as connection:
            ours = log_id(connection)
            self._read_on(connection, ours)
            folds, aside = _folds(connection), _aside(connection)
        drafts = self._drafts(ours, self._news(folds, aside), folds, aside)
        for start in range(0, len(drafts), AT_ONCE):
            with suppress(IdentityConflict):  # another process said it at this moment, and is read the next time
                self.log.append(Append(tuple(drafts[start : start + AT_ONCE])))
        return len(drafts)

    def _news(self, folds: Mapping[str, _Fold], aside: Mapping[Place, _Aside]) -> list[Place]:
        """What the log does not say: set aside by the version that readers see, or folded by it after all."""
        found = list[Place]()
        for place in {*aside, *self._told}:
            fold, told = folds.get(place[0]), self._told.get(place, _Told()).version
            if fold is None:
                continue
            passed = place not in aside and fold.position >= place[1]
            if (place in aside and told != fold.version) or (passed and told is not None):
                found.append(place)
        return sorted(found, key=lambda place: (place[1], place[0]))

    def _read_on(self, connection: Connection, ours: str) -> None:
        table = log_events
        query = select(table.c.position, table.c.type, table.c.body)
        query = query.where(of_types([PARKED, RELEASED]), table.c.position > self._read_to)
        for row in connection.execute(query.order_by(table.c.position)):
            self._read_to = row.position
            self._take(row.type, orjson.loads(bytes(row.body))["data"], ours)

    def _take(self, type: str, data: Mapping[str, Any], ours: str) -> None:
        """One event that tells; what other logs told, kept by an import, is not ours."""
        if data["log"] == ours:
            place = (data["projection"], data["position"])
            releases = self._told.get(place, _Told()).releases
            self._told[place] = _Told(data["version"], releases) if type == PARKED else _Told(None, releases + 1)

    def _drafts(
        self, ours: str, news: Sequence[Place], folds: Mapping[str, _Fold], aside: Mapping[Place, _Aside]
    ) -> list[Draft]:
        events = {event.position: event for event in self.log.read_positions([at for _, at in news])} if news else {}
        return [self._draft(ours, place, events[place[1]], folds[place[0]].version, aside.get(place)) for place in news]

    def _draft(self, ours: str, place: Place, event: Recorded, version: int, aside: _Aside | None) -> Draft:
        projection, position = place
        of = {
            "log": ours,
            "projection": projection,
            "version": version,
            "position": position,
            "event": {"source": event.source, "id": event.id},
        }
        model: EventParked | EventReleased = EventReleased.model_validate(of)
        kind, at = "event_released", self.log.clock()
        if aside is not None:
            model = EventParked.model_validate({**of, "reason": aside.reason})
            kind, at = "event_parked", aside.since
        before = self._told.get(place, _Told()).releases
        id = conclusion_id(ours, kind, f"{projection}/{version}/{position}/{before}")
        return draft(model, id=id, origin=Origin(SOURCE, utc_text(at)))


def _folds(connection: Connection) -> dict[str, _Fold]:
    query = select(checkpoints.c.name, checkpoints.c.version, reached()).where(checkpoints.c.live)
    return {row.name: _Fold(row.version, row.position) for row in connection.execute(query)}


def _aside(connection: Connection) -> dict[Place, _Aside]:
    rows = connection.execute(select(parked_events))
    return {(row.projection, row.position): _Aside(row.error, row.parked_at) for row in rows}
