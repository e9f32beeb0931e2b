"""The OpenAPI 3.1 document: what the framework generates, with refusals and positions as they really are."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.doors.answers import POSITION, PROBLEM
from services.doors.bench.shapes import ProblemShape

_REFUSALS = {
    "401": "Nobody is signed in.",
    "403": "Not for this role, or not for this party.",
    "422": "Something in the request is not right; `errors` points to it.",
    "503": "Not now; `Retry-After` says when to come back.",
}
_POSITION = {
    "description": "The log position that all projections had reached; after a write, the write's own.",
    "schema": {"type": "integer"},
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of this application; made once."""
    if app.openapi_schema is None:
        api = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            description=app.description,
            routes=app.routes,
            separate_input_output_schemas=False,
        )
        _refine(api)
        app.openapi_schema = api
    return app.openapi_schema


def _refine(api: dict[str, Any]) -> None:
    components = api.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = ProblemShape.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schemas["Problem"].pop("$defs", {}))
    components["headers"] = {POSITION: _POSITION}
    for operations in api["paths"].values():
        for operation in operations.values():
            _answers(operation)


def _answers(operation: dict[str, Any]) -> None:
    """Refusals as problem details, and the position on every answer."""
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422", "")):
        del answers["422"]
    if operation.get("security"):
        for status, description in _REFUSALS.items():
            content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            answers.setdefault(status, {"description": description, "content": content})
    for answer in answers.values():
        answer.setdefault("headers", {})[POSITION] = {"$ref": f"#/components/headers/{POSITION}"}
