"""`/healthz`, `/readyz`, `/metrics`, `/v1/status`, and the reference of all calls at `/docs`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from events.errors import DomainError
from services.doors.answers import Json
from services.doors.context import Here, reads, runtime_of
from services.doors.operations.status import measure, status
from services.doors.pages.environment import render
from services.runtime import Runtime

router = APIRouter(tags=["operations"])
Reading = Annotated[Here, Depends(reads("read_status"))]


@router.get("/healthz", summary="Alive?", response_model=dict[str, str])
def healthz() -> Json:
    """The process answers. Says nothing about the database: restarting this process would not help that."""
    return Json({"status": "ok", "service": "lodestone"})


@router.get(
    "/readyz", summary="Ready?", response_model=dict[str, Any], responses={503: {"description": "A part is not."}}
)
def readyz(request: Request) -> Json:
    """Each part by name: the database answers, its tables are of this release, the projections are read and go on."""
    runtime = runtime_of(request)
    parts = {
        "database": _database(runtime),
        "migrations": _migrations(runtime),
        "log": _log(runtime),
        "projections": _projections(runtime),
    }
    ready = all(part["ready"] for part in parts.values())
    body = {"status": "ready" if ready else "not ready", "parts": parts}
    return Json(body, 200 if ready else 503, None if ready else {"Retry-After": "2"})


def _database(runtime: Runtime) -> dict[str, Any]:
    try:
        runtime.database.ping()
    except DomainError as error:
        return {"ready": False, "detail": error.detail}
    return {"ready": True}


def _migrations(runtime: Runtime) -> dict[str, Any]:
    try:
        if runtime.database.migrated():
            return {"ready": True}
    except DomainError as error:
        return {"ready": False, "detail": error.detail}
    return {
        "ready": False,
        "detail": "The tables are of another release; start `lodestone serve` to migrate.",
    }


def _log(runtime: Runtime) -> dict[str, Any]:
    """Whether the log continues what was signed, so that it takes more in."""
    try:
        if runtime.guard is not None:
            runtime.guard()
    except DomainError as error:
        return {"ready": False, "detail": error.detail}
    return {"ready": True}


def _projections(runtime: Runtime) -> dict[str, Any]:
    try:
        missing = sorted(set(runtime.projector.projections) - set(runtime.projector.positions()))
        stopped = runtime.projector.stopped()
    except DomainError as error:
        return {"ready": False, "detail": error.detail}
    if missing:
        return {"ready": False, "detail": f"Not made yet: {', '.join(missing)}; `lodestone worker` makes them."}
    return {"ready": True} if stopped is None else {"ready": False, "detail": stopped}


@router.get("/metrics", summary="Measurements", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text format."""
    runtime = runtime_of(request)
    measure(runtime)
    return Response(runtime.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/status", summary="Status", response_model=dict[str, Any])
def read_status(here: Reading) -> Json:
    """Position, projections with their lag, the decider, quarantine, results waiting for genealogy, open proposals."""
    return Json(status(here.runtime))


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """Every call on one page, made here from the OpenAPI document; nothing comes from another host."""
    return render(request, "docs.html", {"api": request.app.openapi(), "calls": _calls(request.app.openapi())})


def _calls(api: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations by tag, in the order of the document."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append({"method": method.upper(), "path": path, **operation})
    return groups
