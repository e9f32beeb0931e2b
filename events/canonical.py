"""Canonical bytes of an event, and the hash that decides between a duplicate and a conflict."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import orjson

from events.errors import Invalid

UNHASHED = frozenset({"recordedtime", "traceparent", "tracestate"})


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
    try:
        return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise Invalid(f"This cannot be written as JSON: {error}.") from error


def content_hash(event: Mapping[str, Any]) -> bytes:
    """SHA-256 of the event as received, without the attributes that a resend may change (32 bytes)."""
    return hashlib.sha256(canonical({k: v for k, v in event.items() if k not in UNHASHED})).digest()
