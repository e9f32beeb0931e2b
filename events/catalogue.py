"""The catalogue: every event type with its version, model, stream, and who may post it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel

from events.envelope import Recorded
from events.errors import UnknownType
from events.facts import benches, earlier, lots, motors, parties, sources, tests
from events.rules import (
    access,
    assessments,
    ledger,
    notices,
    policies,
    proposals,
    requirements,
    sensitivities,
    specs,
)

Upcaster = Callable[[Mapping[str, Any]], Mapping[str, Any]]
BENCH = frozenset({"bench", "admin"})
PLANT = frozenset({"manufacturing", "admin"})
OWNER = frozenset({"manufacturing", "supplier", "admin"})
BENCH_OWNER = frozenset({"bench", "manufacturing", "admin"})
LEDGER = "ledger"
"""The stream of what the log says of itself: seals, keys, digests. Read by no domain fold, and triggers nothing."""
CALL = frozenset[str]()
"""Only through a call of its own, or by the engine."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One line of the catalogue.

    `key` names the field of the model that identifies the stream; `subject` is the kind of thing it is about, and
    `about` the field that names that thing where it is not the stream's own.
    `by` are the roles that may post it through `POST /v1/events`.
    `upcast` turns the data of this version into the next version's; the newest version has none.
    """

    stream: str
    model: type[BaseModel]
    key: str
    subject: str
    by: frozenset[str] = CALL
    versioned: bool = True
    version: int = 1
    upcast: Upcaster | None = None
    about: str | None = None

    def subject_of(self, data: object) -> str:
        """The CloudEvents `subject` of an event with this data."""
        return f"{self.subject}/{getattr(data, self.about or self.key)}"

    @property
    def name(self) -> str:
        """The class name in snake case: `EfficiencyMeasured` and `EfficiencyMeasuredV1` are `efficiency_measured`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"V\d+$", "", self.model.__name__)).lower()

    @property
    def type(self) -> str:
        """`lodestone.<stream>.<past_tense>.v<n>`."""
        return self.of_version(self.version)

    def of_version(self, version: int) -> str:
        """The full type of another version of this event."""
        return f"lodestone.{self.stream}.{self.name}.v{version}"


def _fact(stream: str, model: type[BaseModel], key: str, subject: str, by: frozenset[str], **version: Any) -> EventType:
    return EventType(stream, model, key, subject, by, versioned=False, **version)


def _of_the_log(model: type[BaseModel]) -> EventType:
    return EventType(LEDGER, model, "log", "logs", versioned=False)


_LINES = (
    _fact("parties", parties.PartyRegistered, "party", "parties", PLANT),
    _fact("parties", parties.PartyRetired, "party", "parties", PLANT),
    _fact("benches", benches.BenchRegistered, "bench", "benches", BENCH_OWNER),
    _fact("benches", benches.CalibrationRecorded, "bench", "benches", BENCH_OWNER),
    _fact("lots", lots.LotRegistered, "lot", "lots", OWNER),
    _fact("lots", lots.ProcessRecorded, "lot", "lots", OWNER),
    _fact("lots", lots.LotCertified, "lot", "lots", OWNER),
    _fact("lots", lots.CertificateCorrected, "lot", "lots", OWNER),
    _fact("lots", lots.IncomingInspected, "lot", "lots", PLANT),
    _fact("lots", lots.LotWithdrawn, "lot", "lots", OWNER),
    _fact("sources", sources.SourceChanged, "supplier", "parties", OWNER),
    _fact("sources", sources.EvidenceRecorded, "supplier", "parties", OWNER),
    _fact("motors", motors.MotorTypeRegistered, "motor_type", "motor_types", PLANT),
    _fact("motors", motors.MotorBuilt, "motor", "motors", PLANT),
    _fact("motors", motors.RotorReplaced, "motor", "motors", PLANT),
    _fact("motors", motors.MotorRetired, "motor", "motors", PLANT),
    _fact("tests", tests.EfficiencyMeasured, "motor", "motors", BENCH),
    _fact("tests", tests.FluxMeasured, "motor", "motors", BENCH),
    _fact("tests", tests.ThermalDegradationMeasured, "motor", "motors", BENCH),
    _fact("tests", earlier.VibrationMeasuredV1, "motor", "motors", BENCH, upcast=earlier.vibration_v2),
    _fact("tests", tests.VibrationMeasured, "motor", "motors", BENCH, version=2),
    _fact("tests", tests.FailureObserved, "motor", "motors", BENCH),
    _fact("tests", tests.SurvivalObserved, "motor", "motors", BENCH),
    _fact("tests", tests.TestVoided, "motor", "motors", BENCH),
    EventType("requirements", requirements.RequirementIssued, "requirement", "requirements"),
    EventType("requirements", requirements.RequirementRevised, "requirement", "requirements"),
    EventType("requirements", requirements.RequirementWithdrawn, "requirement", "requirements"),
    EventType("specs", specs.SpecIssued, "spec", "specs"),
    EventType("specs", specs.SpecRevised, "spec", "specs"),
    EventType("sensitivities", sensitivities.SensitivityAssigned, "sensitivity", "sensitivities"),
    EventType("policies", policies.PolicyIssued, "policy", "policies"),
    EventType("policies", policies.PolicyRevised, "policy", "policies"),
    EventType("proposals", proposals.CaseOpened, "case", "cases"),
    EventType("proposals", proposals.RevisionProposed, "case", "cases"),
    EventType("proposals", proposals.EvidenceRefreshed, "case", "cases"),
    EventType("proposals", proposals.ProposalAmended, "case", "cases"),
    EventType("proposals", proposals.ProposalApproved, "case", "cases"),
    EventType("proposals", proposals.ProposalRejected, "case", "cases"),
    EventType("proposals", proposals.ProposalDeferred, "case", "cases"),
    EventType("proposals", proposals.ProposalWithdrawn, "case", "cases"),
    EventType("proposals", proposals.ProposalEnacted, "case", "cases"),
    EventType("proposals", proposals.CaseReopened, "case", "cases"),
    EventType("proposals", proposals.CommentAdded, "case", "cases"),
    EventType("feeds", notices.NoticeIssued, "party", "notices", about="notice"),
    EventType("feeds", notices.NoticeAnswered, "party", "notices", about="notice"),
    EventType("assessments", assessments.LotAssessed, "lot", "lots", versioned=False),
    EventType("access", access.TokenIssued, "token", "tokens"),
    EventType("access", access.TokenRevoked, "token", "tokens"),
    _of_the_log(ledger.KeyIntroduced),
    _of_the_log(ledger.CheckpointSigned),
    _of_the_log(ledger.StateDigestRecorded),
    _of_the_log(ledger.EpochOpened),
    _of_the_log(ledger.EventParked),
    _of_the_log(ledger.EventReleased),
    replace(_of_the_log(ledger.FeedSealed), subject="parties", about="party"),
)


def catalogue_of(lines: Iterable[EventType]) -> Mapping[str, EventType]:
    """The lines by full event type.

    Raises ValueError for a type named twice, a version left out, or an upcaster missing or without a next version.
    """
    found: dict[str, EventType] = {}
    for line in lines:
        if line.type in found:
            raise ValueError(f"{line.type} is in the catalogue twice")
        found[line.type] = line
    for line in found.values():
        if line.version > 1 and line.of_version(line.version - 1) not in found:
            raise ValueError(f"{line.type} has no version {line.version - 1} before it")
        if (line.of_version(line.version + 1) in found) != (line.upcast is not None):
            raise ValueError(f"{line.type} needs an upcaster exactly when a newer version exists")
    return found


CATALOGUE: Mapping[str, EventType] = catalogue_of(_LINES)
DOMAIN = frozenset(name for name, line in CATALOGUE.items() if line.stream != LEDGER and line.upcast is None)
"""Every type that a fold may read: the newest version of each, for folds see events upcast."""


def type_of(model: type[BaseModel]) -> str:
    """The full event type of a model."""
    return line_of(model).type


@cache
def _by_model() -> Mapping[type[BaseModel], EventType]:
    return {line.model: line for line in CATALOGUE.values()}


def line_of(model: type[BaseModel]) -> EventType:
    """The catalogue line of a model."""
    return _by_model()[model]


def stored_types(newest: Iterable[str]) -> frozenset[str]:
    """Every type under which the log may hold what is read as one of these: for who queries the log itself."""
    wanted = {unversioned(event_type) for event_type in newest}
    return frozenset(name for name in CATALOGUE if unversioned(name) in wanted)


def newest(name: str) -> str:
    """The newest version of the type `<stream>.<past_tense>`. Raises UnknownType."""
    versions = [line for full, line in CATALOGUE.items() if unversioned(full) == f"lodestone.{name}"]
    return max(versions, key=lambda line: line.version).type if versions else find(f"lodestone.{name}.v1").type


def unversioned(event_type: str) -> str:
    """The type without its version: `lodestone.tests.flux_measured`."""
    return event_type.rpartition(".")[0]


def known(event_type: str) -> bool:
    """Whether this release knows the type and version."""
    return event_type in CATALOGUE


def current(event_types: Iterable[str]) -> bool:
    """Whether this release knows these types and versions, and none of them has a newer version."""
    return all((line := CATALOGUE.get(one)) is not None and line.upcast is None for one in event_types)


def find(event_type: str, catalogue: Mapping[str, EventType] = CATALOGUE) -> EventType:
    """The catalogue line of a full event type. Raises UnknownType naming the near matches."""
    line = catalogue.get(event_type)
    if line is None:
        raise UnknownType(f"The event type '{event_type}' is not known. {_near(event_type)}", type=event_type)
    return line


def _near(event_type: str) -> str:
    near = get_close_matches(event_type, CATALOGUE, n=3, cutoff=0.5)
    return f"Near matches: {', '.join(near)}." if near else "`lodestone schema` lists the types."


def upcast(recorded: Recorded, catalogue: Mapping[str, EventType] = CATALOGUE) -> Recorded:
    """The event with its data brought to the newest version of its type. Raises UnknownType."""
    line = find(recorded.type, catalogue)
    if line.upcast is None:
        return recorded
    newest, data = upcast_data(line, recorded.data, catalogue)
    return recorded.with_data(data, type=newest.type)


def upcast_data(
    line: EventType, data: Mapping[str, Any], catalogue: Mapping[str, EventType] = CATALOGUE
) -> tuple[EventType, Mapping[str, Any]]:
    """The newest version of a line, and these data of the line in that version."""
    while line.upcast is not None:
        data, line = line.upcast(data), find(line.of_version(line.version + 1), catalogue)
    return line, data
