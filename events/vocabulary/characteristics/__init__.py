"""The catalogue of characteristics, keyed `level.symbol`: one line there is a new measured quantity."""

from collections.abc import Mapping
from difflib import get_close_matches

from events.errors import Invalid
from events.vocabulary.characteristics import alloy, magnet, motor, process, sourcing
from events.vocabulary.characteristics.row import Characteristic

__all__ = ["CHARACTERISTICS", "Characteristic", "find"]

CHARACTERISTICS: Mapping[str, Characteristic] = {
    row[0]: Characteristic(*row) for room in (motor, magnet, alloy, process, sourcing) for row in room.ROWS
}


def find(key: str) -> Characteristic:
    """The characteristic with this key. Raises Invalid naming the near matches."""
    found = CHARACTERISTICS.get(key)
    if found is None:
        symbol = key.rpartition(".")[2].lower()
        near = [name for name in CHARACTERISTICS if name.rpartition(".")[2].lower() == symbol]
        near += [name for name in get_close_matches(key, CHARACTERISTICS, n=3, cutoff=0.5) if name not in near]
        hint = f"near matches: {', '.join(near[:4])}" if near else "write level.symbol, e.g. magnet.HcJ"
        raise Invalid(f"The characteristic '{key}' is not in the catalogue; {hint}.", characteristic=key)
    return found
