"""Tokens: what a program shows to say who it is. Issued by an event and a row in one append; the row is looked up."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select, update

from events.envelope import utc_text
from events.errors import Invalid, NotFound, Unauthenticated
from events.receive import Origin, draft
from events.refs import parse_ref
from events.rules.access import Principal, TokenIssued, TokenRevoked
from services.access.secrets import TOKEN, digest, new_secret
from services.store.database import Database
from services.store.log import Append, Companion, Log
from services.store.tables import access_tokens

SOURCE = "/services/access"
_UNKNOWN = "This token is not valid. Send a current one as: Authorization: Bearer lode_…"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of this service."""

    database: Database
    log: Log
    clock: Callable[[], datetime]

    def issue(self, role: str, name: str, party: str | None = None, source_prefix: str | None = None) -> str:
        """A new token for this role; `party` is `issuer:id`. Returns the secret, which is nowhere kept.

        Raises Invalid for an unknown role, and for a role that needs a party and has none.
        """
        secret, token = new_secret(TOKEN), secrets.token_hex(8)
        model = _issued(token, digest(secret), role, name, party, source_prefix)
        now = self.clock()
        row = {
            "token_hash": model.token_hash,
            "token_id": token,
            "name": model.name,
            "role": model.role,
            "party": None if model.party is None else str(model.party),
            "source_prefix": model.source_prefix,
            "issued_at": now,
            "revoked_at": None,
        }
        event = draft(model, id=f"token-{token}", origin=Origin(SOURCE, utc_text(now)))
        companion = Companion("access_tokens", row)
        self.log.append(Append((event,), expected={event.stream: 0}, companions=(companion,)))
        return secret

    def revoke(self, token: str, reason: str) -> None:
        """Refuse the token from now on. The row goes first: a crash in between leaves it refused.

        Raises NotFound for an unknown token id.
        """
        now = self.clock()
        statement = update(access_tokens).where(access_tokens.c.token_id == token)
        revoked_at = func.coalesce(access_tokens.c.revoked_at, now)
        with self.database.begin() as connection:
            if connection.execute(statement.values(revoked_at=revoked_at)).rowcount == 0:
                raise NotFound(f"There is no token '{token}'.")
        event = draft(
            TokenRevoked(token=token, reason=reason), id=f"token-{token}-revoked", origin=Origin(SOURCE, utc_text(now))
        )
        if self.log.find(SOURCE, event.id) is None:
            self.log.append(Append((event,), expected={event.stream: 1}))

    def principal(self, secret: str) -> Principal:
        """Who shows this secret. Raises Unauthenticated for an unknown or revoked one."""
        known = select(access_tokens).where(access_tokens.c.token_hash == digest(secret))
        with self.database.connect() as connection:
            row = connection.execute(known.where(access_tokens.c.revoked_at.is_(None))).one_or_none()
        if row is None:
            raise Unauthenticated(_UNKNOWN)
        return principal_of(row, row.source_prefix)

    def list(self) -> list[dict[str, Any]]:
        """Every token that was issued, without its hash."""
        with self.database.connect() as connection:
            rows = connection.execute(select(access_tokens).order_by(access_tokens.c.issued_at)).mappings()
            return [{key: value for key, value in row.items() if key != "token_hash"} for row in rows]


def principal_of(row: Any, source_prefix: str | None) -> Principal:
    """The principal in a row of tokens, links or sessions."""
    party = None if row.party is None else parse_ref(row.party)
    return Principal(name=row.name, role=row.role, party=party, source_prefix=source_prefix)


def _issued(token: str, token_hash: str, role: str, name: str, party: str | None, prefix: str | None) -> TokenIssued:
    ref = None if party is None else parse_ref(party)
    if role == "supplier" and ref is None:
        raise Invalid("A supplier's token belongs to a party: name it as issuer:id.")
    content = {"token": token, "token_hash": token_hash, "name": name, "role": role, "source_prefix": prefix}
    try:
        return TokenIssued.model_validate({**content, "party": ref})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise Invalid(f"The token's {fault['loc'][0]} is not right: {fault['msg']}.") from error
