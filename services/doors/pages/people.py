"""People: the dependencies of pages, and signing in and out with one-time links."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from events.errors import Forbidden, Unauthenticated
from events.rules.access import Action, may
from services.access.sessions import SESSION_LIFE, Session, Sessions
from services.doors.context import COOKIE, WAIT_S, Here, runtime_of, wait_for
from services.doors.pages.environment import render

router = APIRouter(include_in_schema=False)
HOME = {"supplier": "/feed", "bench": "/docs", "manufacturing": "/docs"}
"""Where somebody lands who does not review: a supplier at its feed, who posts events at the reference of calls."""


def session_of(request: Request) -> Session | None:
    """Who is signed in, if anybody; remembered for the layout."""
    cookie = request.cookies.get(COOKIE)
    request.state.session = None
    if cookie:
        runtime = runtime_of(request)
        try:
            request.state.session = Sessions(runtime.database, runtime.clock).find(cookie)
            request.state.principal = request.state.session.principal
        except Unauthenticated:
            return None
    found: Session | None = request.state.session
    return found


class Page:
    """The dependency of a page: `Depends(Page("read"))` gives a Here, or sends to the sign-in page."""

    def __init__(self, action: Action) -> None:
        self.action = action

    def __call__(
        self,
        request: Request,
        min_position: Annotated[int | None, Query(ge=0, le=2**62)] = None,
        wait_s: Annotated[float, Query(ge=0, le=60)] = WAIT_S,
    ) -> Here:
        session = session_of(request)
        if session is None:
            raise Unauthenticated("Nobody is signed in, or the session has ended. Sign in first.")
        may(session.principal, self.action)
        runtime = runtime_of(request)
        request.state.position = wait_for(runtime, min_position, wait_s)
        return Here(runtime, session.principal, request, session)


class Posted(Page):
    """The dependency of a form's POST: also checks the hidden `csrf` field."""

    def __call__(  # type: ignore[override]
        self, request: Request, csrf: Annotated[str | None, Form()] = None
    ) -> Here:
        here = super().__call__(request)
        assert here.session is not None
        here.session.check_csrf(csrf)
        return here


@router.get("/sign-in")
def sign_in_page(request: Request, code: str | None = None) -> Response:
    """Without a code the form; with one (a one-time link) signs in. A browser's prefetch uses no link up."""
    session_of(request)
    if code and "prefetch" not in request.headers.get("sec-purpose", request.headers.get("purpose", "")):
        return _sign_in(request, code)
    return render(request, "signin.html", {})


@router.post("/sign-in")
def sign_in(request: Request, code: Annotated[str, Form()]) -> Response:
    """The code of a link, pasted."""
    _same_origin(request)
    return _sign_in(request, code.strip())


def _sign_in(request: Request, code: str) -> Response:
    runtime = runtime_of(request)
    secret = Sessions(runtime.database, runtime.clock).sign_in(_code(code))
    person = Sessions(runtime.database, runtime.clock).find(secret).principal
    response = RedirectResponse(HOME.get(person.role, "/"), 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        secure=runtime.public_url.startswith("https://"),
        samesite="lax",
    )
    return response


def _code(text: str) -> str:
    """The code alone, also when the whole link was pasted."""
    return text.rpartition("code=")[2]


def _same_origin(request: Request) -> None:
    """A sign-in form of another site could put somebody into a foreign session."""
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("This form came from another site. Open the sign-in page here.")


@router.post("/sign-out")
def sign_out(request: Request, csrf: Annotated[str | None, Form()] = None) -> Response:
    """End the session."""
    session = session_of(request)
    if session is not None:
        session.check_csrf(csrf)
        runtime = runtime_of(request)
        Sessions(runtime.database, runtime.clock).sign_out(request.cookies[COOKIE])
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response


def sign_in_link(public_url: str, code: str) -> str:
    """The link that a person opens."""
    return f"{public_url.rstrip('/')}/sign-in?code={code}"


SignedIn = Annotated[Here, Depends(Page("read"))]
"""A page that the reviewing roles may read."""
