"""`/healthz`, `/readyz`, `/metrics`, `/v1/status`, and the reference of all calls at `/docs`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.doors.answers import Json
from services.doors.context import Here, reads, runtime_of
from services.doors.operations.figures import figures
from services.doors.operations.parts import readiness
from services.doors.operations.status import status
from services.doors.pages.environment import render

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
    """Each part by name. 503 when one is not ready; 200 with `degraded` when something behind the service is late or
    missing: an API whose relay is down still takes events.
    """
    ready, body = readiness(runtime_of(request))
    return Json(body, 200 if ready else 503, None if ready else {"Retry-After": "2"})


@router.get("/metrics", summary="Measurements", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text format, or OpenMetrics where that is asked for; the names are in docs/operations.md."""
    runtime = runtime_of(request)
    accept = request.headers.get("accept", "")
    text, content_type = runtime.metrics.text(figures(runtime), accept, runtime.version)
    return Response(text, headers={"Content-Type": content_type})


@router.get("/v1/status", summary="Status", response_model=dict[str, Any])
def read_status(here: Reading) -> Json:
    """Position, projections with their lag in events and seconds, the decider, seals, the other processes, quarantine,
    results waiting for genealogy, open proposals.
    """
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
