"""Export: the log as newline-delimited events, the stored bytes as they are."""

from collections.abc import Iterator

from services.store.log import Log

PAGE = 1000


def export(log: Log, after: int = 0, until: int | None = None) -> Iterator[bytes]:
    """The stored bytes of every event after a position, in order, without line ends."""
    until = log.head() if until is None else until
    while page := log.read_bytes(after, PAGE, until):
        for position, body in page:
            after = position
            yield body
