"""A plant in a real database: facts received, rules issued, folded, and decided in this process."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from events.envelope import Recorded, utc_text
from events.receive import Origin, draft, receive
from events.rules import requirements, specs
from events.rules.access import Principal
from events.rules.defaults import default_id, defaults
from projections.folds import all_projections
from services.engine.decider import Decider
from services.engine.enact import Desk
from services.store.database import Database
from services.store.log import Append, Log
from services.store.projecting.projector import Projector

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
ENGINEER = Principal("erin", "engineer")
APPROVER = Principal("paula", "approver")


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_hours(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


@dataclass
class Story:
    """The parts of one service, with the calls that a test makes."""

    log: Log
    projector: Projector
    decider: Decider
    desk: Desk
    clock: Ticking

    def facts(self, events: Iterable[dict[str, Any]]) -> None:
        """Receive facts as a door would."""
        drafts = tuple(receive(event).draft for event in events)
        for start in range(0, len(drafts), 500):
            self.log.append(Append(drafts[start : start + 500], atomic=False))

    def order(self, text: dict[str, Any]) -> None:
        """Issue a requirement, with the defaults."""
        self._write(requirements.RequirementIssued.model_validate(text), f"requirement-{text['requirement']['id']}")
        for model in defaults(policy_exists=False, sensitivities=()):
            self._write(model, str(default_id(model)))

    def specify(self, text: dict[str, Any]) -> None:
        """Issue a specification's first revision."""
        self._write(specs.SpecIssued.model_validate({**text, "revision": 1}), f"spec-{text['spec']['id']}")

    def _write(self, model: Any, name: str) -> None:
        made = draft(model, id=name, origin=Origin("/engineers", utc_text(START)))
        if self.log.find(made.source, made.id) is None:
            self.log.append(Append((made,)))

    def turn(self) -> int:
        """Fold and decide until nothing more follows; how many events the engine appended."""
        total = 0
        while True:
            self.projector.catch_up()
            appended = self.decider.decide_once()
            total += appended
            if not appended:
                return total

    def events(self, kind: str) -> list[Recorded]:
        """All events of a type, in order."""
        return [event for event in self.log.read(0, 100_000) if event.type == f"lodestone.{kind}.v1"]

    def cases(self) -> dict[str, Any]:
        """The state of every case, by the title of its opening."""
        return {
            event.data["title"]: self.desk.case(event.data["case"]) for event in self.events("proposals.case_opened")
        }


def story(database: Database) -> Story:
    """A new service on this database."""
    clock = Ticking()
    log = Log(database, clock)
    projector = Projector(database, log, all_projections(), "test", clock)
    projector.prepare()
    return Story(log, projector, Decider(database, log, projector, clock, settle_s=0.0), Desk(log, projector), clock)
