"""A log of plain events, and what it should be sealed as, computed with hashlib alone."""

import hashlib
from collections.abc import Sequence

from services.store.log import Append, Log
from tests.store.facts import draft
from tests.verifier import trees


def fill(log: Log, count: int) -> None:
    """Append this many events."""
    for start in range(0, count, 500):
        log.append(Append(tuple(draft() for _ in range(min(500, count - start)))))


def leaves(log: Log) -> list[bytes]:
    """The leaf hashes of the whole log, from its bytes."""
    return [hashlib.sha256(b"\x00" + body).digest() for _, body in log.read_bytes(0, 1_000_000)]


def root(hashes: Sequence[bytes]) -> bytes:
    """The root by the definition."""
    return trees.root(list(hashes))
