"""CloudEvents over HTTP: structured, batched and binary bodies become the JSON objects that ingest receives.

What the other bindings read in the same way (media types, JSON, traces) is here too.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import orjson

from events.errors import Fault, Invalid
from services import tracing
from services.exchange.problems import UnsupportedMedia

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON_MEDIA = re.compile(r"^application/(?:[a-z0-9.+-]+\+)?json$")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Posted:
    """What a request carried: its mode, and the events as parsed, not yet checked."""

    mode: Literal["structured", "batch", "binary"]
    events: tuple[Any, ...]


def read_http(content_type: str | None, headers: Iterable[tuple[str, str]], body: bytes) -> Posted:
    """The events of an HTTP request (CloudEvents HTTP binding 1.0.2, §3).

    Raises UnsupportedMedia for another content type, Invalid for broken JSON with its position.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    media = media_of(content_type)
    if media == BATCH:
        return Posted("batch", tuple(traced(event, pairs) for event in _array(read_json(body))))
    if media == STRUCTURED:
        return Posted("structured", (traced(read_json(body), pairs),))
    if not any(name == "ce-specversion" for name, _ in pairs):
        raise UnsupportedMedia(
            f"This body is '{media or 'of no content type'}'. Send one event as {STRUCTURED}, several as {BATCH}, "
            "or binary: the data as application/json with the attributes in ce- headers."
        )
    if not JSON_MEDIA.match(media):
        raise UnsupportedMedia(f"The data of a binary event is JSON here, not '{media}': send application/json.")
    return Posted("binary", (traced(_binary(media, pairs, body), pairs),))


def media_of(content_type: str | None) -> str:
    """The media type in lower case. Raises UnsupportedMedia for a charset that is not UTF-8."""
    media, *parameters = [part.strip().lower() for part in (content_type or "").split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMedia(f"JSON is written in UTF-8 here, not in '{value}'.")
    return media


def read_json(body: bytes) -> Any:
    """The JSON value of this text. NaN and Infinity pass, so that only the event that holds them is refused.

    Raises Invalid naming the line and column where the text breaks.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        return _with_constants(body, broken)


def _with_constants(body: bytes, broken: orjson.JSONDecodeError) -> Any:
    """The value when NaN or Infinity were all that was wrong with it."""
    if b"NaN" in body or b"Infinity" in body:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass
    if not body.strip():
        raise Invalid("The body is empty; send JSON.") from broken
    raise Invalid(
        f"The body is not JSON: {broken.msg} at line {broken.lineno}, column {broken.colno}.",
        line=broken.lineno,
        column=broken.colno,
    ) from broken


def _array(value: Any) -> list[object]:
    if not isinstance(value, list):
        raise Invalid(f"A batch is a JSON array of events; one event alone is sent as {STRUCTURED}.")
    return value


def _binary(media: str, pairs: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """The event of a binary request; `datacontenttype` is left out where it is plain JSON, as JSON senders do."""
    event: dict[str, Any] = {}
    for name, value in pairs:
        if not name.startswith("ce-"):
            continue
        attribute = name.removeprefix("ce-")
        if attribute == "datacontenttype":
            raise Invalid("The data's content type is the Content-Type header; leave ce-datacontenttype out.")
        if attribute in event:
            raise Invalid(f"The header ce-{attribute} came twice.", errors=[Fault(f"/{attribute}", "given twice")])
        event[attribute] = _decoded(attribute, value)
    if media != "application/json":
        event["datacontenttype"] = media
    if body:
        event["data"] = read_json(body)
    return event


def _decoded(attribute: str, value: str) -> str:
    """A header value, percent-decoded once (HTTP binding §3.1.3.2). Raises Invalid for what is not UTF-8."""
    text = value.strip()
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        if _PERCENT.search(text):
            raise ValueError("a % that is not followed by two hexadecimal digits")
        return unquote_to_bytes(text.encode("latin-1")).decode("utf-8")
    except ValueError as error:
        detail = f"the header is not percent-encoded UTF-8: {error}"
        raise Invalid(f"ce-{attribute}: {detail}.", errors=[Fault(f"/{attribute}", detail)]) from error


def traced(event: object, pairs: list[tuple[str, str]]) -> object:
    """The event with the request's `traceparent` (W3C Trace Context) as its extension, unless it has one."""
    if not isinstance(event, dict) or "traceparent" in event:
        return event
    for name, value in pairs:
        if name == "traceparent" and tracing.parse(value):
            return {**event, "traceparent": value}
    return event
