"""CloudEvents over Kafka: messages in binary and structured mode become the JSON that ingest receives, and back.

Kafka protocol binding 1.0.2. A batch mode there is not; the key says nothing about the event.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from events.canonical import canonical
from events.errors import Fault, Invalid
from services.exchange.cloudevents import BATCH, JSON_MEDIA, STRUCTURED, media_of, read_json, traced
from services.exchange.problems import UnsupportedMedia

Headers = Sequence[tuple[str, bytes | None]]
CONTENT_TYPE = "content-type"
ATTRIBUTE = "ce_"
STRUCTURED_HEADER = (CONTENT_TYPE, f"{STRUCTURED}; charset=UTF-8".encode())
_ANY = "application/cloudevents"


def read(headers: Headers, value: bytes | None) -> Any:
    """The event of a message, as parsed, not yet checked.

    Raises UnsupportedMedia for what is no CloudEvent here, Invalid for what is broken, with the header or position.
    """
    media = _media(headers)
    if media == STRUCTURED:
        if value is None:
            raise Invalid("The message has no value: a structured event is never a tombstone.")
        event = read_json(value)
    elif media.startswith(_ANY):
        why = "there is no batch mode on Kafka" if media == BATCH else "only JSON is read here"
        raise UnsupportedMedia(f"The message is '{media}', and {why}: send each event by itself as {STRUCTURED}.")
    else:
        event = _binary(media, headers, value)
    for name, text in headers:
        if name == "traceparent" and text is not None:
            return traced(event, [(name, text.decode("latin-1"))])
    return event


def value_alone(headers: Headers) -> bool:
    """Whether the event of a message with these headers is its value, and nothing else of it: `read_json` reads it."""
    return all(name != "traceparent" for name, _ in headers) and _media(headers) == STRUCTURED


def structured(body: bytes, *more: tuple[str, bytes]) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of an event whose JSON these bytes are, as they are."""
    return [STRUCTURED_HEADER, *more], body


def binary(event: Mapping[str, Any], *more: tuple[str, bytes]) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of this event in binary mode; its data are JSON."""
    headers = [(CONTENT_TYPE, str(event.get("datacontenttype", "application/json")).encode())]
    for name, attribute in event.items():
        if name not in {"data", "datacontenttype"}:
            headers.append((ATTRIBUTE + name, _text(attribute).encode()))
    return [*headers, *more], canonical(event["data"])


def _text(attribute: Any) -> str:
    """An attribute as text: CloudEvents writes booleans in lower case."""
    return attribute if isinstance(attribute, str) else orjson.dumps(attribute).decode()


def _media(headers: Headers) -> str:
    found = [value for name, value in headers if name.lower() == CONTENT_TYPE]
    if len(found) > 1:
        raise Invalid(f"The header {CONTENT_TYPE} came twice.", errors=[Fault("/datacontenttype", "given twice")])
    return _media_type(found[0] or b"") if found else ""


@lru_cache(maxsize=64)
def _media_type(text: bytes) -> str:
    return media_of(text.decode("latin-1"))


def _binary(media: str, headers: Headers, value: bytes | None) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for header, raw in headers:
        if header.startswith(ATTRIBUTE):
            attribute = header.removeprefix(ATTRIBUTE)
            if attribute in event:
                raise Invalid(f"The header {header} came twice.", errors=[Fault(f"/{attribute}", "given twice")])
            event[attribute] = _decoded(header, raw)
    if "specversion" not in event:
        raise UnsupportedMedia(
            f"The message is no CloudEvent: its {CONTENT_TYPE} is '{media or 'missing'}', and there is no header "
            f"{ATTRIBUTE}specversion. Send it as {STRUCTURED}, or with the attributes in headers {ATTRIBUTE}…"
        )
    if "datacontenttype" in event:
        raise Invalid(f"The data's content type is the header {CONTENT_TYPE}; leave {ATTRIBUTE}datacontenttype out.")
    if value is None:
        raise Invalid("The message has no value: a fact is not taken back by a tombstone, but by one that replaces it.")
    if media and not JSON_MEDIA.match(media):
        raise UnsupportedMedia(f"The data of a binary event is JSON here, not '{media}': send application/json.")
    if media not in {"", "application/json"}:
        event["datacontenttype"] = media
    event["data"] = read_json(value)
    return event


def _decoded(header: str, raw: bytes | None) -> str:
    """A header's text (Kafka binding §3.2.3.1: UTF-8, and not percent-encoded)."""
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError as error:
        detail = f"the header is not UTF-8: {error.reason} at byte {error.start}"
        raise Invalid(f"{header}: {detail}.", errors=[Fault(f"/{header.removeprefix(ATTRIBUTE)}", detail)]) from error
