"""Written: JSON that a fold made text of while what is in it was at hand; whoever keeps the row keeps the text."""

import json
from typing import Any

import orjson


class Written(str):
    """The JSON text of a value."""

    __slots__ = ()


def written(value: Any) -> Written:
    """The value as text. Raises ValueError for NaN or an infinity only beside an integer beyond 64 bits."""
    try:
        return Written(orjson.dumps(value), "utf-8")
    except TypeError:  # an integer beyond 64 bits
        return Written(json.dumps(value, separators=(",", ":"), allow_nan=False))


def read(value: Any) -> Any:
    """The value, whether it is written or not."""
    return orjson.loads(str(value)) if value.__class__ is Written else value
