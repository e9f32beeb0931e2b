"""Access: who may say what. Tokens are bound to a role, a source prefix and a party; only their hashes are kept."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from events.errors import Forbidden
from events.facts.base import Text
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain

if TYPE_CHECKING:
    from events.receive import Received

Role = Literal["bench", "manufacturing", "engineer", "approver", "supplier", "auditor", "admin"]


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
    """Who asks: a name, a role, and for programs the party and the source prefix that the token is bound to."""

    name: str
    role: str
    party: Ref | None = None
    source_prefix: str | None = None


def may_post(principal: Principal, received: "Received") -> None:
    """Raises Forbidden unless this principal may state this fact through `POST /v1/events`.

    The table is the catalogue's `by`; the source lies under the token's prefix; a supplier states only its own.
    """
    line, source = received.line, received.draft.source
    if principal.role not in line.by:
        raise Forbidden(f"The role {principal.role} may not post {line.type}." + _how(line.by))
    if not _under(source, principal.source_prefix):
        raise Forbidden(f"Your token may speak only for sources under {principal.source_prefix}.")
    owner = getattr(received.data, "owner", lambda: None)()
    if principal.role == "supplier" and (principal.party is None or owner != principal.party.id):
        raise Forbidden("A supplier states facts only about its own lots and sources.")


def _how(by: frozenset[str]) -> str:
    return f" It is for: {', '.join(sorted(by))}." if by else " It comes only through a call of its own."


def _under(source: str, prefix: str | None) -> bool:
    """Whether the source is the prefix or lies below it; `/benches/1` is not below `/benches/10`, nor the reverse."""
    return prefix is None or source == prefix or source.startswith(prefix.rstrip("/") + "/")
