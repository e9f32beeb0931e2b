"""Problem details (RFC 9457): the one table from what the domain refuses to what is answered on the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

from events import errors
from events.errors import DomainError, Fault

RETRY_AFTER_S = 2


class UnsupportedMedia(DomainError):
    """The body is of a content type that is not spoken here (415)."""


TABLE: tuple[tuple[type[DomainError], int, str], ...] = (
    (errors.UnknownType, 422, "Unknown event type"),
    (errors.Invalid, 422, "Not valid"),
    (errors.Unauthenticated, 401, "Not signed in"),
    (errors.Forbidden, 403, "Not allowed"),
    (errors.NotFound, 404, "Not found"),
    (errors.Gone, 410, "There no more"),
    (errors.IdentityConflict, 409, "Another event has this identity"),
    (errors.Refused, 409, "Refused"),
    (errors.VersionConflict, 412, "Changed in the meantime"),
    (errors.VersionRequired, 428, "Version required"),
    (errors.TooLarge, 413, "Too large"),
    (UnsupportedMedia, 415, "Unsupported content type"),
    (errors.Unavailable, 503, "Not available now"),
    (DomainError, 500, "Our fault"),
)
"""Domain error → status and title; the first line that fits holds."""


def problem(error: DomainError) -> dict[str, Any]:
    """The problem details of a domain error: type, title, status, detail, errors, and its facts."""
    kind, status, title = next(line for line in TABLE if isinstance(error, line[0]))
    facts = {name: _plain(value) for name, value in error.facts.items() if name not in {"type", "title", "status"}}
    return {
        "type": f"urn:lodestone:problem:{_kebab(kind.__name__)}",
        "title": title,
        "status": status,
        "detail": error.detail,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.errors],
        **facts,
    }


def headers_of(error: DomainError) -> dict[str, str]:
    """The headers that go with it: WWW-Authenticate with 401, Retry-After with 503."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="lodestone"'}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(max(1, round(float(error.facts.get("retry_after_s", RETRY_AFTER_S)))))}
    return {}


def invalid_input(found: Iterable[Mapping[str, Any]], skip: tuple[str, ...] = ()) -> errors.Invalid:
    """Pydantic's errors as one Invalid."""
    faults = [Fault(_pointer(item["loc"], skip), str(item["msg"])) for item in found]
    first = f"{faults[0].pointer}: {faults[0].detail}" if faults else "it does not have the asked shape"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return errors.Invalid(f"The request is not right: {first}{more}.", errors=faults)


def _pointer(location: Iterable[int | str], skip: tuple[str, ...]) -> str:
    parts = list(location)
    if parts and parts[0] in skip:
        parts = parts[1:]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
