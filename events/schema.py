"""JSON Schema 2020-12 of every event: the whole CloudEvent, its attributes and its data."""

import re
from collections.abc import Mapping
from typing import Any

from events.catalogue import CATALOGUE, find
from events.envelope import SERVICE_ATTRIBUTES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_id(event_type: str) -> str:
    """The `dataschema` of an event type where the event names none; never built from a host."""
    return f"urn:lodestone:schema:{event_type}"


def types() -> tuple[str, ...]:
    """Every event type of this release, in the catalogue's order."""
    return tuple(CATALOGUE)


def json_schema(event_type: str) -> dict[str, Any]:
    """The schema of the whole CloudEvent of this type, as it may be posted. Raises UnknownType.

    A schema cannot say every rule: sums of fractions, order of limits and matching units are checked on receipt.
    """
    line = find(event_type)
    data = line.model.model_json_schema(mode="validation")
    shared = data.pop("$defs", {})
    data["title"] = re.sub(r"V\d+$", "", data["title"])  # an earlier version keeps the title it was released with
    properties = {**_attributes(event_type), "data": data, **dict.fromkeys(SERVICE_ATTRIBUTES, False)}
    return {
        "$schema": DIALECT,
        "$id": schema_id(event_type),
        "title": event_type,
        "description": " ".join((line.model.__doc__ or "").split()),
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": properties,
        "propertyNames": {"pattern": "^[a-z0-9]{1,40}$"},
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "$defs": shared,
    }


def _attributes(event_type: str) -> dict[str, Mapping[str, Any]]:
    text = {"type": "string", "minLength": 1, "maxLength": 512}
    return {
        "specversion": {"const": "1.0"},
        "id": {**text, "description": "With `source` the identity of the event: sent again, it is a duplicate."},
        "source": {**text, "description": "Who says so, as a URI reference under the token's prefix."},
        "type": {"const": event_type},
        "time": {"type": "string", "format": "date-time", "description": "When it was true, with an offset."},
        "subject": {**text, "description": "What it is about; when given, it matches the data."},
        "partitionkey": {**text, "description": "When given, it matches the data."},
        "datacontenttype": {"type": "string", "pattern": "^application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "correlationid": text,
        "causationid": text,
        "traceparent": text,
        "tracestate": text,
    }
