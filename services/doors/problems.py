"""What the framework itself refuses, in the shape of problem details (RFC 9457); the table is `exchange.problems`."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from events import errors
from services.exchange.problems import invalid_input

_TITLES = {404: "Not found", 405: "Method not allowed", 500: "Our fault"}


def problem_of_http(error: HTTPException) -> dict[str, Any]:
    """The problem details of what the framework refuses: unknown paths, wrong methods."""
    detail = {
        404: "There is nothing at this path; GET /v1/openapi.json lists what there is.",
        405: "This path does not take this method; GET /v1/openapi.json lists which it takes.",
    }.get(error.status_code, str(error.detail))
    title = _TITLES.get(error.status_code, str(error.detail))
    return {"type": "about:blank", "title": title, "status": error.status_code, "detail": detail, "errors": []}


OUR_FAULT = {
    "type": "urn:lodestone:problem:our-fault",
    "title": _TITLES[500],
    "status": 500,
    "detail": "Something in the service is wrong; the log of the service says what, under this request's id.",
    "errors": [],
}


def invalid_request(error: RequestValidationError) -> errors.Invalid:
    """The framework's own validation errors as the domain's, one pointer for each fault."""
    return invalid_input(error.errors(), skip=("body",))
