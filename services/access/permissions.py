"""The table role × call: what each role may ask of the doors. Who may post which event is `events.rules.access`."""

from typing import Literal

from events.errors import Forbidden
from events.rules.access import Principal

Action = Literal[
    "post_events", "read_quarantine", "read", "read_schemas", "review", "decide", "order", "read_feed", "answer",
    "administer",
]  # fmt: skip
"""`review`: amend, defer, comment, propose. `decide`: approve and reject. `order`: requirements, specs, policies."""

INSIDE = frozenset({"engineer", "approver", "auditor", "admin"})
OUTSIDE = frozenset({"bench", "manufacturing", "supplier"})
TABLE: dict[Action, frozenset[str]] = {
    "post_events": OUTSIDE | {"admin"},
    "read_quarantine": INSIDE | OUTSIDE,
    "read": INSIDE,
    "read_schemas": INSIDE | OUTSIDE,
    "review": frozenset({"engineer", "approver", "admin"}),
    "decide": frozenset({"approver"}),
    "order": frozenset({"engineer", "approver", "admin"}),
    "read_feed": frozenset({"supplier"}),
    "answer": frozenset({"supplier"}),
    "administer": frozenset({"admin"}),
}


def may(principal: Principal, action: Action) -> bool:
    """Whether the role may make this call."""
    return principal.role in TABLE[action]


def demand(principal: Principal, action: Action) -> None:
    """Raises Forbidden unless the role may make this call; says nothing about what exists."""
    if not may(principal, action):
        raise Forbidden(f"The role {principal.role} may not make this call.")
