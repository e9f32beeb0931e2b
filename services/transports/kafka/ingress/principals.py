"""Who publishes: the token in a message's header, or the topic, where its ACLs decide who writes to it."""

import time
from collections.abc import Callable, Mapping
from typing import get_args

from events.errors import DomainError, Forbidden, Invalid, Unauthenticated
from events.refs import parse_ref
from events.rules.access import POSTERS, Principal, Role, may
from services.access.secrets import digest
from services.access.tokens import Tokens
from services.transports.kafka.binding import Headers

TOKEN = "lodestone-token"
KEPT_S = 10.0
"""How long a token is taken for what it was when last looked up: a revoked one is refused after that."""
KEPT = 10_000
"""How many tokens are remembered at once."""
_EXAMPLE = "LODESTONE_KAFKA_TRUSTED_TOPICS names topics as topic=role:/source/prefix[:issuer:id], separated by ';'"


def trusted_topics(text: str | None) -> dict[str, Principal]:
    """The principal that speaks on each trusted topic. Raises Invalid that names the entry."""
    trusted: dict[str, Principal] = {}
    for entry in (text or "").split(";"):
        if not entry.strip():
            continue
        topic, _, rest = entry.strip().partition("=")
        role, _, rest = rest.partition(":")
        prefix, _, party = rest.partition(":")
        if topic.strip() in trusted:
            raise Invalid(f"{_EXAMPLE}; '{topic.strip()}' is named twice.")
        trusted[topic.strip()] = _principal(entry.strip(), topic.strip(), role.strip(), prefix.strip(), party.strip())
    return trusted


def _principal(entry: str, topic: str, role: str, prefix: str, party: str) -> Principal:
    roles: dict[str, Role] = {known: known for known in get_args(Role)}
    if not topic or roles.get(role) not in POSTERS or not prefix.startswith("/"):
        raise Invalid(
            f"{_EXAMPLE}; '{entry}' is not of that form. Roles that post: {', '.join(sorted(POSTERS))}; a prefix "
            "begins with '/', and '/' alone is every source."
        )
    if role == "supplier" and not party:
        raise Invalid(f"{_EXAMPLE}; in '{entry}' the supplier's party is missing: …:{prefix}:issuer:id.")
    bound = None if prefix == "/" else prefix
    return Principal(f"topic {topic}", roles[role], parse_ref(party) if party else None, bound)


class Principals:
    """Tells who published a message. Tokens are remembered by their digest for a few seconds, unknown ones too."""

    def __init__(
        self,
        tokens: Tokens,
        trusted: Mapping[str, Principal],
        clock: Callable[[], float] = time.monotonic,
        kept: int = KEPT,
    ) -> None:
        self.tokens = tokens
        self.trusted = trusted
        self.clock = clock
        self.kept = kept
        self._known: dict[str, tuple[float, Principal | DomainError]] = {}

    def of(self, topic: str, headers: Headers) -> Principal | DomainError:
        """Who published this, or why nobody is taken for it. Raises Unavailable when the database is away."""
        shown = [value for name, value in headers if name.lower() == TOKEN]
        if not shown:
            return self.trusted.get(topic) or Unauthenticated(
                f"The message has no header {TOKEN}. Send one with a token of Lodestone (`lodestone token create`), or "
                "publish to a topic that LODESTONE_KAFKA_TRUSTED_TOPICS names."
            )
        if len(shown) > 1:
            return Unauthenticated(f"The header {TOKEN} came more than once; send one.")
        return self._of_token((shown[0] or b"").decode("utf-8", "replace").strip())

    def _of_token(self, secret: str) -> Principal | DomainError:
        name, now = digest(secret), self.clock()
        kept = self._known.get(name)
        if kept is not None and now < kept[0]:
            return kept[1]
        if len(self._known) >= self.kept:
            self._known.clear()
        found: Principal | DomainError
        try:
            found = self.tokens.principal(secret)
            may(found, "post_events")
        except Unauthenticated:
            found = Unauthenticated(f"The token in the header {TOKEN} is not valid: unknown, or revoked.")
        except Forbidden as error:
            found = error
        self._known[name] = (now + KEPT_S, found)
        return found
