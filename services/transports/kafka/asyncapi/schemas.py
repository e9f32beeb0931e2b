"""The schemas of the AsyncAPI document: the data of each event, the envelopes, and the records that are no events."""

from typing import Any

from events.catalogue import CATALOGUE
from events.refs import Ref
from events.rules.specs import Effectivity, Limit, Sourcing
from events.schema import json_schema

SCHEMAS = "#/components/schemas/"


def schemas() -> dict[str, Any]:
    """The data of each type under its name, what they share, the two envelopes, and our own records."""
    made: dict[str, Any] = {}
    for name in CATALOGUE:
        whole = json_schema(name)
        made |= {key: _moved(value) for key, value in whole["$defs"].items()}
        made[name] = _moved(whole["properties"]["data"])
    return {"PostedEvent": _envelope(), "StoredEvent": _stored(), **_own(made), **made}


def _envelope() -> dict[str, Any]:
    whole = json_schema(next(iter(CATALOGUE)))
    attributes = {name: schema for name, schema in whole["properties"].items() if schema is not False}
    return {
        "type": "object",
        "description": "A CloudEvent 1.0 in structured mode, as it may be published here.",
        "required": whole["required"],
        "properties": {**attributes, "type": {"type": "string"}, "data": {"type": "object"}},
    }


def _stored() -> dict[str, Any]:
    envelope = _envelope()
    text = {"type": "string"}
    service = {
        "recordedtime": {"type": "string", "format": "date-time", "description": "When the service knew it."},
        "stream": {"type": "string", "description": "The stream it is stored in."},
        "streamversion": {**text, "description": "Its number in its stream, where the stream has numbers."},
        "sequence": {**text, "description": "Its number in the party's feed, with leading zeros."},
    }
    return {
        **envelope,
        "description": "A CloudEvent 1.0 in structured mode, byte for byte as the log stores and seals it.",
        "required": [*envelope["required"], "recordedtime", "stream"],
        "properties": {**envelope["properties"], **service},
    }


def _own(shared: dict[str, Any]) -> dict[str, Any]:
    """The records that are no events: a current limit, and the progress. Adds to `shared` what they refer to."""
    for model in (Limit, Sourcing, Effectivity, Ref):
        schema = model.model_json_schema(mode="serialization")
        shared |= {key: _moved(value) for key, value in schema.pop("$defs", {}).items() if key not in shared}
        shared.setdefault(model.__name__, _moved(schema))
    limit = shared["Limit"]["properties"]
    whole = {"type": "integer", "minimum": 0}
    ref = {"$ref": f"{SCHEMAS}Ref"}
    text = {"spec": ref, "level": {"enum": ["magnet", "alloy", "process", "sourcing"]}, "item": ref,
            "suppliers": {"type": "array", "items": ref}, "revision": {"type": "integer", "minimum": 1},
            "effectivity": {"$ref": f"{SCHEMAS}Effectivity"}, "run_out": {"type": "string"},
            "origin": {"enum": ["measured", "synthetic"]}, "position": whole}  # fmt: skip
    sourcing = {"sourcing": {"$ref": f"{SCHEMAS}Sourcing"}, "characteristic": {"type": ["string", "null"]}}
    share = {"type": "object", "required": ["sequence", "end"], "properties": {"sequence": whole, "end": whole}}
    progress = {"log_id": {"type": "string"}, "epoch": whole, "position": whole,
                "partitions": {"type": "object", "additionalProperties": share}}  # fmt: skip
    leaf = {"type": "string", "pattern": "^[0-9a-f]{64}$",
            "description": "The leaf hash of the event at that position."}  # fmt: skip
    return {
        "CurrentLimit": {
            "type": "object",
            "description": "One limit of a specification's last revision, which binds from its effectivity on.",
            "required": [*text, "characteristic"],
            "properties": {**text, **limit, **sourcing},
            "additionalProperties": False,
            "oneOf": [{"required": ["limits"]}, {"required": ["sourcing"]}],
        },
        "Progress": {"type": "object", "required": list(progress), "properties": progress | {"leaf": leaf}},
    }


def _moved(schema: Any) -> Any:
    """The schema with references to where the shared ones lie in this document."""
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", SCHEMAS) if key == "$ref" and isinstance(value, str) else _moved(value)
            for key, value in schema.items()
        }
    return [_moved(one) for one in schema] if isinstance(schema, list) else schema
