"""Canonical bytes of an event, and the hash that decides between a duplicate and a conflict."""

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

from events.errors import Invalid

UNHASHED = frozenset({"recordedtime", "traceparent", "tracestate"})
_INTEGRAL = re.compile(rb"\.0(?=[,}\]])")
_INTEGRALS, _ANY_INTEGRAL = _INTEGRAL.split, _INTEGRAL.search
_ANY_NULL = re.compile(rb"null").search


def plain(value: Any) -> Any:
    """The value with integral floats as integers, so that 120.0 and 120 are the same.

    Raises Invalid for NaN and infinities.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid("A number is NaN or infinite; send a finite number or leave the field out.")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value


def canonical(value: Any) -> bytes:
    """Canonical JSON: UTF-8, keys sorted, no spaces, integral floats as integers.

    Raises Invalid for what JSON cannot hold (NaN, integers over 64 bits, lone surrogates).
    """
    if type(value) is dict:
        try:
            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            text = b""  # the slow way says what is wrong, or takes mappings of other kinds
        found = settled(text, value)
        if found:
            return found
    try:
        return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise Invalid(f"This cannot be written as JSON: {error}.") from error


def settled(text: bytes, value: dict[str, Any]) -> bytes | None:
    """orjson's text of a value with integral floats as integers, found in the bytes alone; None when they do not tell.

    orjson writes a float below 10¹⁶ that is integral with `.0` at its end, and NaN as null. What follows an even number
    of quotation marks stands outside of strings, as long as none of them is escaped.
    """
    if _ANY_NULL(text) and not _finite(value):
        return None
    if not _ANY_INTEGRAL(text):
        return text
    if b"\\" in text:
        return None
    parts = _INTEGRALS(text)
    marks = 0
    for part in parts[:-1]:
        marks += part.count(b'"')
        if marks & 1 or part[-16:].isdigit() or part.endswith(b"-0"):
            return None  # within a string, minus zero, or perhaps past 2**53
    return b"".join(parts)


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def hashed_part(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event without the attributes that a resend may change; mostly there are none, and it is the event itself."""
    if "traceparent" in event or "recordedtime" in event or "tracestate" in event:
        return {k: v for k, v in event.items() if k not in UNHASHED}
    return event


def hashed(event: Mapping[str, Any]) -> bytes:
    """The canonical bytes that the content hash is over: without the attributes that a resend may change."""
    return canonical(hashed_part(event))


def content_hash(event: Mapping[str, Any]) -> bytes:
    """SHA-256 of the event as received, without the attributes that a resend may change (32 bytes)."""
    return hashlib.sha256(hashed(event)).digest()
