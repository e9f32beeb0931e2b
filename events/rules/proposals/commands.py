"""The commands of a case: what the engine and persons ask for, in the imperative."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from events.facts.base import EventRef
from events.refs import Ref
from events.rules.proposals.models import AmendedLimit, Conclusion, Evidence, ProposedRevision
from events.rules.specs import Effectivity


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Open a case for a requirement and a magnet item, for a source change, or for a person's own proposal."""

    case: str
    kind: Literal["result", "source_change", "manual"]
    title: str
    requirement: Ref | None = None
    item: Ref | None = None
    suppliers: tuple[Ref, ...] = ()
    source_change: EventRef | None = None
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a reviewer will see: the revisions that belong together, and what they follow from.

    `safety`: the requirement behind it is one of safety.
    """

    title: str
    conclusion: Conclusion
    revisions: tuple[ProposedRevision, ...]
    effectivity: Effectivity
    evidence: Evidence
    related: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    what_if: Mapping[str, Any] = field(default_factory=dict)
    safety: bool = False


@dataclass(frozen=True, slots=True)
class Propose:
    """Propose revisions, as the next round of the case. `at` is the instant of the command."""

    case: str
    content: Content
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Refresh:
    """Put new evidence, and what now follows from it, into the open proposal."""

    case: str
    content: Content
    at: datetime


@dataclass(frozen=True, slots=True)
class Amend:
    """Change limits of the open proposal; what a limit leaves out stays as proposed. Names the version it saw."""

    case: str
    by: str
    reason: str
    limits: tuple[AmendedLimit, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree with the open proposal. Names the version it saw."""

    case: str
    by: str
    reason: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the open proposal. Names the version it saw."""

    case: str
    by: str
    reason: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Defer:
    """Look at the open proposal again later. Names the version it saw."""

    case: str
    by: str
    reason: str
    version: int | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the open proposal back, because the evidence faded."""

    case: str
    reason: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open a closed case again: a supplier cannot meet the limit, or the effect is absent."""

    case: str
    reason: str
    cause: EventRef | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """Say something on the case."""

    case: str
    by: str
    comment: str


Command = OpenCase | Propose | Refresh | Amend | Approve | Reject | Defer | Withdraw | Reopen | Comment
