"""Why a limit is what it is, from the log and the audit index."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from events.envelope import Recorded
from projections.folds.audit import AuditEntry
from projections.inference.why import Why, why
from services.engine.reading import chunks
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.tables import identity_key, log_events, log_identity

PART = 500
"""How many events one statement names."""


class Events:
    """Events by stream, by thing and by identity, in order of position."""

    def __init__(self, log: Log, projector: Projector) -> None:
        self.log = log
        self.projector = projector

    def streams(self, names: Sequence[str]) -> Iterable[Recorded]:
        """The events of these streams."""
        found: list[int] = []
        table = log_events
        with self.log.database.connect() as connection:
            for chunk in chunks(list(names)):
                found += connection.execute(select(table.c.position).where(table.c.stream.in_(chunk))).scalars()
        return self._at(found)

    def about(self, things: Sequence[str]) -> Iterable[Recorded]:
        """The events that concern these things."""
        found: list[int] = []
        table = self.projector.table(AuditEntry)
        with self.log.database.connect() as connection:
            for chunk in chunks(list(things)):
                found += connection.execute(select(table.c.position).where(table.c.thing.in_(chunk))).scalars()
        return self._at(found)

    def events(self, refs: Sequence[tuple[str, str]]) -> Iterable[Recorded]:
        """The events with these identities."""
        found: list[int] = []
        table = log_identity
        with self.log.database.connect() as connection:
            for start in range(0, len(refs), PART):
                keys = [identity_key(*ref) for ref in refs[start : start + PART]]
                query = select(table.c.position).where(table.c.key.in_(keys))
                found += connection.execute(query).scalars()
        return self._at(found)

    def _at(self, positions: Sequence[int]) -> list[Recorded]:
        listed = sorted(set(positions))
        parts = (listed[start : start + PART] for start in range(0, len(listed), PART))
        return [event for part in parts for event in self.log.read_positions(part)]


def explain(log: Log, projector: Projector, spec: str, characteristic: str) -> Why:
    """The chain of events behind one limit (`issuer:id` and characteristic key). Raises NotFound."""
    return why(spec, characteristic, Events(log, projector))
