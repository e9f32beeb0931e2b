"""Answers as JSON: fast, exact bytes of stored events kept, problem details under their own content type."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import Any

import orjson
from msgspec import Struct, structs
from pydantic import BaseModel
from starlette.responses import Response

from events.errors import DomainError
from services.exchange.problems import headers_of, problem

POSITION = "Lodestone-Position"
PROBLEM = "application/problem+json"


def _encode(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Struct):
        return structs.asdict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Json(Response):
    """A JSON answer; `position` goes into `Lodestone-Position`."""

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        position: int | None = None,
        media_type: str | None = None,
    ) -> None:
        more = {} if position is None else {POSITION: str(position)}
        super().__init__(content, status_code, {**(headers or {}), **more}, media_type or self.media_type)

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else orjson.dumps(content, default=_encode)


def refusal(error: DomainError) -> Json:
    """The problem details of a domain error as an answer."""
    body = problem(error)
    return Json(body, body["status"], headers_of(error), media_type=PROBLEM)


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def stored(body: bytes | None) -> Any:
    """A stored event as it lies in the log, byte for byte, inside an answer."""
    return None if body is None else orjson.Fragment(body)
