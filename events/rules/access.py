"""Access: who may say what. Tokens are bound to a role, a source prefix and a party; only their hashes are kept."""

from typing import Literal

from events.facts.base import Text
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain

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
