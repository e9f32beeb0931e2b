"""The application: every door put together around one runtime, with the errors in one shape."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from events.errors import DomainError, NotFound, Unauthenticated
from services.doors.answers import PROBLEM, Json, refusal
from services.doors.audit import api as audit
from services.doors.audit import sealing
from services.doors.bench import api as bench
from services.doors.middleware import Edge
from services.doors.openapi import document
from services.doors.operations import api as operations
from services.doors.pages import people, register
from services.doors.pages.environment import STATIC, message, wants_page
from services.doors.problems import OUR_FAULT, invalid_request, problem_of_http
from services.doors.review import lots, motors, proposals, rules, trying
from services.doors.supplier import api as supplier
from services.doors.supplier import receipts
from services.runtime import Runtime
from services.store.database import unavailable

DESCRIPTION = (
    "Closed-loop specifications for rare-earth permanent-magnet motors: engineering results become sourcing "
    "requirements. Every list is `{items, next_cursor, has_more}`; every refusal is problem details (RFC 9457); every "
    "answer carries `Lodestone-Position`, and a GET takes `min_position` to read one's own writes."
)
REVIEW = (proposals.router, rules.router, lots.router, motors.router, trying.router)
PAGES = (people.router, *register.ROUTERS)
SUPPLIER = (supplier.router, receipts.router)
ROUTERS = (bench.router, *REVIEW, *SUPPLIER, audit.router, sealing.router, operations.router, *PAGES)

log = structlog.get_logger("lodestone.app")


def release() -> str:
    """The version of this release."""
    try:
        return version("lodestone")
    except PackageNotFoundError:
        return "0"


def create_app(runtime: Runtime) -> FastAPI:
    """The HTTP service on this runtime."""
    app = FastAPI(
        title="Lodestone",
        version=runtime.version,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
        separate_input_output_schemas=False,
    )
    app.state.runtime = runtime
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in ROUTERS:
        app.include_router(router)
    _errors(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.add_middleware(Edge, runtime=runtime)
    return app


def _errors(app: FastAPI) -> None:
    """One handler for each family of errors; all answer problem details, or a page to a person's browser."""
    app.add_exception_handler(DomainError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)
    for away in (OperationalError, InterfaceError, psycopg.OperationalError):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(500, _our_fault)


def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    if not wants_page(request):
        return refusal(error)
    if isinstance(error, Unauthenticated) and request.method == "GET" and request.url.path != "/sign-in":
        return RedirectResponse("/sign-in", 303)
    return message(request, error)


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _domain(request, invalid_request(error))


def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404 and wants_page(request):
        return message(request, NotFound("There is no page at this address."))
    body = problem_of_http(error)
    return Json(body, error.status_code, dict(error.headers or {}), media_type=PROBLEM)


def _away(request: Request, error: Exception) -> Response:
    return _domain(request, unavailable(error))


def _our_fault(request: Request, error: Exception) -> Response:
    body: dict[str, Any] = {**OUR_FAULT, "request_id": getattr(request.state, "request_id", "")}
    log.error("unexpected", error=f"{type(error).__name__}: {error}", **body)
    known = request.app.state.runtime.known_position
    return Json(body, 500, {"X-Request-Id": body["request_id"]}, known, media_type=PROBLEM)
