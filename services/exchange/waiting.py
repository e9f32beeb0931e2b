"""Which results wait for their motor's build record: asked of the log itself, so the answer does not lag."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from events.catalogue import stored_types, type_of
from events.facts.motors import MotorBuilt
from events.facts.tests import TestResult
from events.receive import Received
from services.store.database import Database
from services.store.tables import log_events, of_types

_BUILT = sorted(stored_types([type_of(MotorBuilt)]))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Looks build records up in the log."""

    database: Database

    def of(self, asked: Sequence[Received], together: Sequence[Received]) -> list[bool]:
        """For each of `asked`: a result whose motor was built neither in the log nor among `together`."""
        motors = {_motor(item) for item in asked if issubclass(item.line.model, TestResult)}
        if not motors:
            return [False] * len(asked)
        built = {_motor(item) for item in together if issubclass(item.line.model, MotorBuilt)}
        unknown = motors - built - self._built(motors - built)
        if not unknown:
            return [False] * len(asked)
        return [issubclass(item.line.model, TestResult) and _motor(item) in unknown for item in asked]

    def _built(self, motors: set[str]) -> set[str]:
        if not motors:
            return set()
        streams = [f"motors/{motor}" for motor in motors]
        query = select(log_events.c.stream).distinct()
        with self.database.connect() as connection:
            found = connection.scalars(query.where(log_events.c.stream.in_(streams), of_types(_BUILT)))
            return {str(stream).removeprefix("motors/") for stream in found}


def _motor(item: Received) -> str:
    """The motor of a result or of its build record: both name their stream by it."""
    return item.draft.stream.partition("/")[2]
