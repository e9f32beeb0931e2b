"""Who asks, whether they may, and from which position on: the dependencies that every call is declared with."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from sqlalchemy import Connection

from events.errors import Forbidden, Unauthenticated, Unavailable, VersionRequired
from events.rules.access import Action, Principal, may
from services.access.sessions import Session, Sessions
from services.access.tokens import Tokens
from services.runtime import Runtime

COOKIE = "lodestone_session"
CSRF_HEADER = "X-CSRF-Token"
WAIT_S = 5.0
_PAUSE_S = 0.03
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOBODY = "Nobody is signed in. Send a token as: Authorization: Bearer lode_…"

_BEARER = HTTPBearer(auto_error=False, description="A token made by `lodestone token create`.")
_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="The session of a person, from a sign-in link.")


@dataclass(frozen=True, slots=True)
class Here:
    """One call: the service, who calls, and the request."""

    runtime: Runtime
    principal: Principal
    request: Request
    session: Session | None = None

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection for reading."""
        return self.runtime.database.connect()

    def table(self, row_type: type[Any]) -> Any:
        """The table of a projection's rows, live generation."""
        return self.runtime.projector.table(row_type)

    @property
    def body(self) -> bytes:
        """The request's body."""
        found: bytes = getattr(self.request.state, "body", b"")
        return found


def runtime_of(request: Request) -> Runtime:
    """The service that this application was made for."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def identify(request: Request) -> tuple[Principal, Session | None]:
    """Who asks: the bearer of a token, or the person of a cookie session (who needs the CSRF value to write).

    Raises Unauthenticated, or Forbidden for a form of another session.
    """
    runtime = runtime_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated(_NOBODY)
        principal, session = Tokens(runtime.database, runtime.log, runtime.clock).principal(secret.strip()), None
    else:
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            raise Unauthenticated(_NOBODY)
        session = Sessions(runtime.database, runtime.clock).find(cookie)
        if request.method not in _SAFE:
            session.check_csrf(request.headers.get(CSRF_HEADER))
        principal = session.principal
    request.state.principal = principal
    return principal, session


def wait_for(runtime: Runtime, position: int | None, wait_s: float) -> int:
    """Wait until all projections reached `position`; the position they are at. Raises Unavailable when it passes."""
    deadline = time.monotonic() + min(wait_s, runtime.max_wait_s)
    while True:
        reached = runtime.position()
        if position is None or reached >= position:
            return reached
        if time.monotonic() >= deadline or runtime.stopping.is_set():
            raise Unavailable(
                f"The projections are at position {reached}; they did not reach {position} in {wait_s:g} s. Try again.",
                retry_after_s=1,
                position=reached,
            )
        time.sleep(_PAUSE_S)


def reads(action: Action) -> Callable[..., Here]:
    """The dependency of a GET: signed in, allowed, and as new as `min_position` asks."""

    def dependency(
        request: Request,
        _token: Annotated[Any, Depends(_BEARER)],
        _cookie: Annotated[Any, Depends(_COOKIE)],
        min_position: Annotated[
            int | None, Query(ge=0, le=2**62, description="Wait until all projections reached this log position.")
        ] = None,
        wait_s: Annotated[float, Query(ge=0, le=60, description="How long to wait at most, in seconds.")] = WAIT_S,
    ) -> Here:
        here = _enter(request, action)
        request.state.position = wait_for(here.runtime, min_position, wait_s)
        return here

    return dependency


def acts(action: Action) -> Callable[..., Here]:
    """The dependency of a POST: signed in and allowed."""

    def dependency(
        request: Request, _token: Annotated[Any, Depends(_BEARER)], _cookie: Annotated[Any, Depends(_COOKIE)]
    ) -> Here:
        return _enter(request, action)

    return dependency


def _enter(request: Request, action: Action) -> Here:
    principal, session = identify(request)
    may(principal, action)
    return Here(runtime_of(request), principal, request, session)


def if_match(request: Request) -> int:
    """The version that a decision names in `If-Match` (strong comparison).

    Raises VersionRequired without one; a tag that is no version of ours matches nothing, so it is version -1.
    """
    header = request.headers.get("if-match", "").strip()
    if not header:
        raise VersionRequired('Name the version you decide on: If-Match: "<version>", from the ETag of the proposal.')
    tag = header[1:-1] if len(header) > 2 and header.startswith('"') and header.endswith('"') else ""
    return int(tag) if tag.isascii() and tag.isdigit() and len(tag) < 18 else -1


def own_party(principal: Principal) -> str:
    """The party of a supplier as `issuer:id`. Raises Forbidden for who belongs to none."""
    if principal.party is None:
        raise Forbidden("This call is for a party; your token belongs to none.")
    return str(principal.party)
