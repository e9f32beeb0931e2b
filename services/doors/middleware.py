"""Around every request: its id, the body limit, the position header, security headers, one log line, one count."""

import re
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.errors import Invalid, TooLarge
from services import tracing
from services.doors.answers import POSITION, refusal
from services.exchange.problems import UnsupportedMedia
from services.runtime import Runtime

_ID = re.compile(r"^[A-Za-z0-9._-]{1,80}$")
_KEPT = re.compile(rb"%(2[Ff]|3[Aa])")
_BODIES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

log = structlog.get_logger("lodestone.http")


@dataclass(slots=True)
class _Exchange:
    """One request and what became of it."""

    request_id: str
    started: float
    status: int = 500


class Edge:
    """The outermost layer; buffers the body (at most `max_body_bytes`) so that the doors stay synchronous."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self.app = app
        self.runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(_request_id(scope), time.perf_counter())
        scope["path"] = _path(scope)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        answer = self._answering(scope, send, exchange)
        bound = structlog.contextvars.bound_contextvars(request_id=exchange.request_id)
        with bound, tracing.bound(_traceparent(scope)):
            self.runtime.metrics.in_flight(scope["method"], 1, scope["scheme"])
            try:
                await self._serve(scope, receive, answer)
            finally:
                self._record(scope, exchange)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in _BODIES:
            try:
                body = await self._body(scope, receive)
                _check_media(scope, body)
            except (TooLarge, UnsupportedMedia, Invalid) as error:
                await refusal(error)(scope, receive, send)
                return
            scope["state"]["body"] = body
            receive = _replay(body, receive)
        await self.app(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        limit = self.runtime.max_body_bytes
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Invalid("The connection closed before the body was complete.")
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            if not message.get("more_body", False):
                return b"".join(parts)

    def _answering(self, scope: Scope, send: Send, exchange: _Exchange) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault(POSITION, str(scope["state"].get("position", self.runtime.known_position)))
                headers["X-Request-Id"] = exchange.request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.update(_PAGE_HEADERS)
            await send(message)

        return answer

    def _record(self, scope: Scope, exchange: _Exchange) -> None:
        seconds = time.perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        self.runtime.metrics.in_flight(scope["method"], -1, scope["scheme"])
        self.runtime.metrics.request(scope["method"], route, exchange.status, seconds, scope["scheme"])
        facts: dict[str, Any] = {"method": scope["method"], "path": scope["path"], "status": exchange.status}
        principal = scope["state"].get("principal")
        if principal is not None:
            facts |= {"who": principal.name, "role": principal.role}
        log.info("request", **facts, ms=round(1000 * seconds, 2))


def _path(scope: Scope) -> str:
    """The decoded path, but with slashes and colons inside its parts still encoded: `issuer:id` may hold both."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw:
        return str(scope["path"])
    return unquote(_KEPT.sub(rb"%25\1", raw).decode("ascii", "replace"))


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _ID.match(given) else uuid.uuid4().hex


def _traceparent(scope: Scope) -> str | None:
    """The caller's trace; of two that contradict each other neither counts."""
    given = set(Headers(scope=scope).getlist("traceparent"))
    return given.pop() if len(given) == 1 else None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body is over the limit of {limit} bytes; send it in smaller batches.",
        limit_bytes=limit,
    )


def _check_media(scope: Scope, body: bytes) -> None:
    """Calls under /v1 take JSON; the events door looks at its own content types."""
    if not body or not scope["path"].startswith("/v1/") or scope["path"] == "/v1/events":
        return
    media = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMedia(f"This call takes application/json, not '{media or 'a body of no content type'}'.")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            line=error.lineno,
            column=error.colno,
        ) from error


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the buffered body once, then what the connection says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
