"""Events as the log stores them: the bytes that a fold's events are decoded from."""

from events.envelope import stored_bytes
from events.receive import receive
from tests.folds.plants import Event


def stored(posted: Event) -> bytes:
    """The stored bytes of a fact."""
    return stored_bytes(receive(posted).draft, "2026-04-01T00:00:00.000000Z", None)
