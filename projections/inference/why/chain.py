"""The chain behind one limit: from the requirement, lots and results to the decision, the notices and their answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from events.envelope import Recorded
from events.errors import NotFound
from events.refs import ref_text
from events.rules.changes import same_limits
from projections.inference.why.sentences import sentence, statistic_sentence

Role = Literal[
    "requirement", "source", "lot", "certificate", "motor", "result", "prior", "statistic", "proposal", "decision",
    "revision", "notice", "answer",
]  # fmt: skip
ORDER: tuple[Role, ...] = (
    "requirement", "source", "lot", "certificate", "motor", "result", "prior", "statistic", "proposal", "decision",
    "revision", "notice", "answer",
)  # fmt: skip
ROLES: Mapping[str, Role] = {
    "requirements": "requirement", "sources": "source", "motors": "motor", "tests": "result", "sensitivities": "prior",
    "policies": "statistic", "specs": "revision",
}  # fmt: skip
LOT_ROLES: Mapping[str, Role] = {"lot_registered": "lot", "lot_withdrawn": "lot"}
DECISIONS = frozenset(
    {"proposal_amended", "proposal_approved", "proposal_rejected", "proposal_deferred", "proposal_enacted"}
)
SHOWN = frozenset({"revision_proposed", "evidence_refreshed"})


class Lookups(Protocol):
    """Where events are found, by any home: the log's streams, the audit index, identities."""

    def streams(self, names: Sequence[str]) -> Iterable[Recorded]:
        """The events of these streams, in order."""

    def about(self, things: Sequence[str]) -> Iterable[Recorded]:
        """The events that concern these things, e.g. `notices/…`, in order."""

    def events(self, refs: Sequence[tuple[str, str]]) -> Iterable[Recorded]:
        """The events with these identities (source, id), in order."""


@dataclass(frozen=True, slots=True)
class WhyEvent:
    """One event of the chain."""

    position: int
    type: str
    time: str
    role: Role
    sentence: str


@dataclass(frozen=True, slots=True)
class Why:
    """The chain behind one limit, from what was required and measured to what was decided and told."""

    spec: str
    characteristic: str
    revision: int
    events: tuple[WhyEvent, ...]


def why(spec: str, characteristic: str, lookups: Lookups) -> Why:
    """The chain behind the limit in force on this characteristic. Raises NotFound where there is no such limit.

    Revisions that left the limit alone are passed over: the one that set it is explained.
    """
    revisions = list(lookups.streams([f"specs/{spec}"]))
    if not revisions:
        raise NotFound(f"There is no specification '{spec}'.")
    set_by = _set_by(revisions, characteristic)
    if set_by is None:
        raise NotFound(f"The specification '{spec}' says nothing of {characteristic}.")
    found: list[tuple[Recorded, Role]] = [(set_by, "revision")]
    case = set_by.data.get("case")
    if case:
        found += _case(set_by, str(case), spec, characteristic, lookups)
    else:
        found += _told(list(lookups.about([f"specs/{spec}"])), int(set_by.data["revision"]), lookups, spec)
    told = [_told_event(event, role, characteristic) for event, role in found]
    unique = {(item.position, item.role): item for item in told}
    ordered = sorted(unique.values(), key=lambda item: (ORDER.index(item.role), item.position))
    return Why(spec, characteristic, int(set_by.data["revision"]), tuple(ordered))


def _set_by(revisions: Sequence[Recorded], characteristic: str) -> Recorded | None:
    """The revision since which the limit is what it is."""
    found: Recorded | None = None
    before: Any = None
    for revision in revisions:
        now = _says(revision.data, characteristic)
        if now is not None and not _same(before, now):
            found = revision
        before = now
    return found if before is not None else None


def _says(text: Mapping[str, Any], characteristic: str) -> Any:
    if characteristic.startswith("sourcing."):
        return text.get("sourcing")
    return next((item for item in text.get("limits") or () if item["characteristic"] == characteristic), None)


def _same(before: Any, now: Any) -> bool:
    if before is None:
        return False
    return same_limits(before["limits"], now["limits"]) if "limits" in now else bool(before == now)


def _case(set_by: Recorded, case: str, spec: str, characteristic: str, lookups: Lookups) -> list[tuple[Recorded, Role]]:
    story = list(lookups.streams([f"proposals/{case}"]))
    until = [event for event in story if event.position <= set_by.position]
    shown = [event for event in until if _name(event) in SHOWN]
    found: list[tuple[Recorded, Role]] = [(event, "proposal") for event in until if _name(event) == "case_opened"]
    found += [(event, "decision") for event in until if _name(event) in DECISIONS]
    if not shown:
        return found
    last = shown[-1]
    rounds = [event for event in shown if event.data["round"] == last.data["round"]]
    found += [(event, "proposal") for event in rounds]
    found.append((last, "statistic"))
    found += _evidence(last, spec, characteristic, lookups)
    return found + _told(list(lookups.about([f"cases/{case}"])), int(set_by.data["revision"]), lookups, spec)


def _evidence(shown: Recorded, spec: str, characteristic: str, lookups: Lookups) -> list[tuple[Recorded, Role]]:
    """The facts behind the proposal, the motors of the results, the priors of this limit, and the policy."""
    evidence = shown.data["evidence"]
    facts = list(lookups.events([(ref["source"], ref["id"]) for ref in evidence["events"]]))
    found = [(event, _role(event)) for event in facts]
    motors = sorted({ref_text(e.data["motor"]) for e in facts if e.type.startswith("lodestone.tests.")})
    built = lookups.streams([f"motors/{motor}" for motor in motors])
    found += [(event, "motor") for event in built]
    priors = {
        ref_text(prior)
        for item in shown.data["revisions"]
        if ref_text(item["spec"]) == spec and item["characteristic"] == characteristic
        for prior in item.get("priors") or ()
    }
    names = [f"sensitivities/{name}" for name in sorted(priors)]
    names.append(f"policies/{ref_text(evidence['policy'])}")
    found += [(event, _role(event)) for event in lookups.streams(names) if event.position <= shown.position]
    return found


def _told(about: Sequence[Recorded], revision: int, lookups: Lookups, spec: str) -> list[tuple[Recorded, Role]]:
    """The notices of this revision, and what the parties answered."""
    notices = [
        event
        for event in about
        if _name(event) == "notice_issued"
        and event.data["revision"] == revision
        and ref_text(event.data["spec"]) == spec
    ]
    answers = lookups.about([f"notices/{event.data['notice']}" for event in notices])
    found: list[tuple[Recorded, Role]] = [(event, "notice") for event in notices]
    return found + [(event, "answer") for event in answers if _name(event) == "notice_answered"]


def _role(event: Recorded) -> Role:
    room = event.type.split(".")[1]
    if _name(event) == "motor_type_registered":
        # Its design constants are the prior of every slope that follows from the design.
        return "prior"
    return LOT_ROLES.get(_name(event), "certificate") if room == "lots" else ROLES.get(room, "statistic")


def _name(event: Recorded) -> str:
    return event.type.split(".")[2]


def _told_event(event: Recorded, role: Role, characteristic: str) -> WhyEvent:
    words = statistic_sentence(event.data, characteristic) if role == "statistic" and _name(event) in SHOWN else None
    return WhyEvent(event.position, event.type, event.time, role, words or sentence(event, characteristic))
