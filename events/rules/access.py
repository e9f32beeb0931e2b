"""Access: who may say and do what. Tokens are bound to a role, a source prefix and a party; only hashes are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from events.errors import Forbidden
from events.facts.base import Fact, Text
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain

if TYPE_CHECKING:
    from events.receive import Received

Role = Literal["bench", "manufacturing", "engineer", "approver", "supplier", "auditor", "admin"]
Action = Literal[
    "post_events", "read_quarantine", "read_status", "read_schemas",
    "read", "read_proposals", "read_specs", "read_requirements", "read_policies", "read_lots", "read_motors",
    "read_events", "read_audit", "what_if", "read_feed", "answer_notice",
    "comment", "propose", "amend", "defer", "decide", "approve", "reject",
    "issue_requirement", "issue_spec", "issue_policy", "assign_sensitivity", "revise_spec", "revise_policy",
    "manage_tokens", "export",
]  # fmt: skip

SERVICE_SOURCES = "/services/"
"""Sources under which only the service itself writes."""


class TokenIssued(Plain):
    """A program may speak in this role, for this party, under this source prefix."""

    token: Name
    token_hash: Name
    name: Text
    role: Role
    party: Ref | None = None
    source_prefix: Text | None = None


class TokenRevoked(Plain):
    """The token is refused from now on."""

    token: Name
    reason: Text


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person or program in one role, for one party, under one source prefix."""

    name: str
    role: Role
    party: Ref | None = None
    source_prefix: str | None = None

    @property
    def sources(self) -> str | None:
        """The prefix under which this principal may post; None: any but the service's own.

        A supplier is always bound: without a prefix of its own, to `/suppliers/<party id>`.
        """
        if self.source_prefix is None and self.role == "supplier" and self.party is not None:
            return f"/suppliers/{self.party.id}"
        return self.source_prefix


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


EVERYONE = _roles("bench", "manufacturing", "engineer", "approver", "supplier", "auditor", "admin")
POSTERS = _roles("bench", "manufacturing", "supplier", "admin")
READERS = _roles("engineer", "approver", "auditor", "admin")
REVIEWERS = _roles("engineer", "approver")
APPROVERS = _roles("approver")

ALLOWED: Mapping[Action, frozenset[Role]] = {
    "post_events": POSTERS,
    "read_quarantine": EVERYONE,
    "read_status": EVERYONE,
    "read_schemas": EVERYONE,
    "read": READERS,
    "read_proposals": READERS,
    "read_specs": READERS,
    "read_requirements": READERS,
    "read_policies": READERS,
    "read_lots": READERS,
    "read_motors": READERS,
    "read_events": READERS,
    "read_audit": READERS,
    "what_if": READERS,
    "read_feed": READERS | {"supplier"},
    "answer_notice": _roles("supplier"),
    "comment": REVIEWERS,
    "propose": REVIEWERS,
    "amend": REVIEWERS,
    "defer": REVIEWERS,
    "decide": REVIEWERS,
    "approve": APPROVERS,
    "reject": APPROVERS,
    "issue_requirement": REVIEWERS,
    "issue_spec": REVIEWERS,
    "issue_policy": REVIEWERS,
    "assign_sensitivity": REVIEWERS,
    "revise_spec": APPROVERS,
    "revise_policy": APPROVERS,
    "manage_tokens": _roles("admin"),
    "export": _roles("admin"),
}
"""Who may make which call. Approving and rejecting are the approver's alone; an admin decides nothing."""


def may(principal: Principal, action: Action) -> None:
    """Return when the principal's role allows the call. Raises Forbidden, which says nothing about what exists."""
    if principal.role not in ALLOWED[action]:
        raise Forbidden(
            f"The role {principal.role} may not {action.replace('_', ' ')}; that is for: "
            f"{', '.join(sorted(ALLOWED[action]))}."
        )


def may_see_all(principal: Principal) -> bool:
    """Whether the principal reads everybody's; benches, manufacturing and suppliers read only their own."""
    return principal.role in READERS


def may_post(principal: Principal, received: "Received") -> None:
    """Return when the principal may state this event. Raises Forbidden with what is not its to say."""
    line, source = received.line, received.draft.source
    if not line.by:
        raise Forbidden(f"{line.type} is never posted: it follows from a call of its own, or the service concludes it.")
    if principal.role not in line.by:
        raise Forbidden(
            f"The role {principal.role} may not state {line.type}; that is for: {', '.join(sorted(line.by))}."
        )
    if source.startswith(SERVICE_SOURCES):
        raise Forbidden(f"The source '{source}' is the service's own; post under a source of yours.")
    prefix = principal.sources
    if prefix is not None and not _under(prefix, source):
        raise Forbidden(f"This token speaks for sources under '{prefix}', and the event's source is '{source}'.")
    if principal.role == "supplier":
        _own(principal, received)


def _under(prefix: str, source: str) -> bool:
    """Whole path segments: `/benches/B1` is not a prefix of `/benches/B10`."""
    return source == prefix or source.startswith(prefix if prefix.endswith("/") else prefix + "/")


def _own(principal: Principal, received: "Received") -> None:
    owner = received.data.owner() if isinstance(received.data, Fact) else None
    if principal.party is None or owner is None or owner != principal.party.id:
        named = "nobody's" if owner is None else f"{owner}'s"
        raise Forbidden(f"A supplier states only facts of its own lots and sources; this one is {named}.")
