"""Sign-in of people: a one-time link becomes a cookie session with a CSRF secret. Rows, not events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from events.errors import Forbidden, Invalid, Unauthenticated
from events.refs import parse_ref
from events.rules.access import Principal
from services.access.secrets import LINK, SESSION, digest, new_secret, same
from services.access.tokens import principal_of
from services.store.database import Database
from services.store.tables import access_links, access_sessions

LINK_LIFE = timedelta(hours=24)
SESSION_LIFE = timedelta(hours=12)
PEOPLE = frozenset({"engineer", "approver", "supplier", "auditor", "admin", "manufacturing", "bench"})


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, and the value that their forms must carry."""

    principal: Principal
    csrf: str

    def check_csrf(self, sent: str | None) -> None:
        """Raises Forbidden unless the form or header carried this session's value."""
        if sent is None or not same(sent, self.csrf):
            raise Forbidden("This form is not of your current session. Load the page again and send it anew.")


@dataclass(frozen=True, slots=True)
class Sessions:
    """Links and sessions."""

    database: Database
    clock: Callable[[], datetime]

    def link(self, role: str, name: str, party: str | None = None, life: timedelta = LINK_LIFE) -> str:
        """The code of a new one-time link. Raises Invalid for an unknown role or a supplier without a party."""
        if role not in PEOPLE:
            raise Invalid(f"There is no role '{role}'; the roles are {', '.join(sorted(PEOPLE))}.")
        if role == "supplier" and party is None:
            raise Invalid("A supplier's sign-in belongs to a party: name it as issuer:id.")
        code = new_secret(LINK)
        text = None if party is None else str(parse_ref(party))
        row = {"link_hash": digest(code), "name": name, "role": role, "party": text}
        with self.database.begin() as connection:
            connection.execute(insert(access_links).values(**row, expires_at=self.clock() + life, used_at=None))
        return code

    def sign_in(self, code: str) -> str:
        """Use a link up: the secret of a new session. Raises Unauthenticated for a used, expired or unknown link."""
        now, secret = self.clock(), new_secret(SESSION)
        once = (
            update(access_links)
            .where(access_links.c.link_hash == digest(code), access_links.c.used_at.is_(None))
            .where(access_links.c.expires_at > now)
            .values(used_at=now)
            .returning(access_links)
        )
        with self.database.begin() as connection:
            row = connection.execute(once).one_or_none()
            if row is None:
                raise Unauthenticated("This sign-in link was used already, or has expired. Ask for a new one.")
            session = {"session_hash": digest(secret), "name": row.name, "role": row.role, "party": row.party}
            life = {"created_at": now, "expires_at": now + SESSION_LIFE}
            connection.execute(insert(access_sessions).values(**session, csrf=new_secret("csrf_"), **life))
            connection.execute(delete(access_sessions).where(access_sessions.c.expires_at <= now))
        return secret

    def find(self, secret: str) -> Session:
        """The session of this cookie. Raises Unauthenticated when there is none, or no more."""
        query = select(access_sessions).where(access_sessions.c.session_hash == digest(secret))
        with self.database.connect() as connection:
            row = connection.execute(query.where(access_sessions.c.expires_at > self.clock())).one_or_none()
        if row is None:
            raise Unauthenticated("Your session has ended. Sign in again.")
        return Session(principal_of(row, None), row.csrf)

    def sign_out(self, secret: str) -> None:
        """End the session."""
        with self.database.begin() as connection:
            connection.execute(delete(access_sessions).where(access_sessions.c.session_hash == digest(secret)))
