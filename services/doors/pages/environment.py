"""Templates: one environment, and the one way to answer with a page; every page knows who is signed in."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from events.errors import DomainError
from services.access.sessions import Session
from services.doors.context import COOKIE, runtime_of
from services.exchange.problems import headers_of, problem

ROOM = Path(__file__).resolve().parent.parent
TEMPLATES = ROOM / "templates"
STATIC = ROOM / "static"


@dataclass(frozen=True, slots=True)
class Tab:
    """One entry of the navigation, for the roles that may read what is behind it."""

    href: str
    text: str
    roles: frozenset[str] = field(default_factory=frozenset)


NAVIGATION: list[Tab] = []
"""The pages put their entries here, in order."""


@cache
def environment() -> Environment:
    """The templates of this room; the pages add their filters to it."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, context: dict[str, Any], status: int = 200) -> HTMLResponse:
    """A page inside the layout. Besides `context` the templates see who, csrf, navigation, position, request_id."""
    session: Session | None = getattr(request.state, "session", None)
    shown = {
        "who": session.principal if session else None,
        "csrf": session.csrf if session else "",
        "navigation": navigation(request, session),
        "position": getattr(request.state, "position", None),
        "request_id": getattr(request.state, "request_id", ""),
        **context,
    }
    return HTMLResponse(environment().get_template(template).render(shown), status)


def navigation(request: Request, session: Session | None) -> list[dict[str, Any]]:
    """The entries that this person may open; `here` marks the current one."""
    if session is None:
        return []
    path = request.url.path
    tabs = [tab for tab in NAVIGATION if not tab.roles or session.principal.role in tab.roles]
    return [{"href": tab.href, "text": tab.text, "here": path == tab.href} for tab in tabs]


def message(request: Request, error: DomainError) -> HTMLResponse:
    """A refusal as a page."""
    body = problem(error)
    page = render(
        request,
        "message.html",
        {"title": body["title"], "detail": body["detail"], "errors": body["errors"], "back": _back(request)},
        body["status"],
    )
    page.headers.update(headers_of(error))
    return page


def _back(request: Request) -> str | None:
    """The page before, when it is one of ours."""
    referer = request.headers.get("referer", "")
    own = runtime_of(request).public_url.rstrip("/")
    return referer.removeprefix(own) or "/" if referer.startswith(own + "/") else None


def wants_page(request: Request) -> bool:
    """Whether this is a person's browser asking for a page, not a program calling the API."""
    if request.url.path.startswith("/v1/") or request.url.path in {"/healthz", "/readyz", "/metrics"}:
        return False
    return "text/html" in request.headers.get("accept", "") or COOKIE in request.cookies
