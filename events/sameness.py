"""Whether two events of one identity tell the same fact, though one of them was written in an earlier version."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from events.canonical import UNHASHED, canonical
from events.catalogue import find, known, unversioned, upcast_data
from events.envelope import SERVICE_ATTRIBUTES

_OF_THE_FORM = {"type", "dataschema", "data", *SERVICE_ATTRIBUTES, *UNHASHED}
"""Attributes that tell in which form a fact was sent, or when: they may differ. The data are compared upcast."""


def same_fact(stored: Mapping[str, Any], received: Mapping[str, Any]) -> bool:
    """Whether a client that was upgraded between two tries sent again what is stored, in either direction.

    Both are CloudEvents as parsed from JSON, the stored one with or without the service's attributes. Within one
    version the content hash decides, and this is False: only two versions of one type can be the same fact, when
    their other attributes are equal and their data, upcast, are equal with defaults filled in. What the older version
    cannot say makes a difference.
    """
    types = (stored["type"], received["type"])
    if types[0] == types[1] or unversioned(types[0]) != unversioned(types[1]) or not all(map(known, types)):
        return False
    if _attributes(stored) != _attributes(received):
        return False
    told = _told(stored)
    return told is not None and told == _told(received)


def _attributes(event: Mapping[str, Any]) -> bytes:
    return canonical({name: value for name, value in event.items() if name not in _OF_THE_FORM})


def _told(event: Mapping[str, Any]) -> bytes | None:
    """The data in the newest version, canonical; None when the newest version would not take them."""
    newest, data = upcast_data(find(event["type"]), event["data"])
    try:
        return canonical(newest.model.model_validate_json(canonical(data), strict=True).model_dump(mode="json"))
    except ValidationError:
        return None
