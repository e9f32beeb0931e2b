"""The log's hash tree as it grows (RFC 9162, 2.1): what to store, the root, and which ranges a proof is made of.

Pure. Leaves are numbered from 0: the event at position p is leaf p - 1. A subtree is named (level, index): it covers
the leaves from index x 2^level to before (index + 1) x 2^level.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.verifier import EMPTY_ROOT, node_hash, root_of

HASH = 32
LEVEL = 8
"""Below this level nothing is stored but the leaves: hashing 256 of them again costs 0.1 ms and spares 254 rows."""
TILE = 1 << LEVEL
Subtree = tuple[int, int]
Range = tuple[int, int]
Node = tuple[int, int, bytes]
"""A complete subtree as (level, index, hash)."""


@dataclass(slots=True)
class Growing:
    """The right edge of a tree: the complete subtrees from the left as (level, hash), then fewer than 256 leaves."""

    size: int = 0
    peaks: list[tuple[int, bytes]] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)

    def add(self, packed: bytes) -> list[Node]:
        """Take in leaf hashes in one run of bytes; returns the subtrees of level 8 and above that became complete."""
        nodes = list[Node]()
        self.size += len(packed) // HASH
        self.pending += packed
        full = len(self.pending) // (TILE * HASH) * (TILE * HASH)
        first = (self.size * HASH - len(self.pending)) // (TILE * HASH)
        for number, start in enumerate(range(0, full, TILE * HASH), first):
            self._close(number, perfect_root(bytes(self.pending[start : start + TILE * HASH])), nodes)
        del self.pending[:full]
        return nodes

    def _close(self, index: int, found: bytes, nodes: list[Node]) -> None:
        """A subtree of level 8 is complete, and with it those above that end where it ends."""
        level = LEVEL
        nodes.append((level, index, found))
        while index & 1:
            _, left = self.peaks.pop()
            found = node_hash(left, found)
            level, index = level + 1, index >> 1
            nodes.append((level, index, found))
        self.peaks.append((level, found))

    def root(self) -> bytes:
        """The root at this size."""
        parts = [found for _, found in self.peaks]
        if self.pending:
            parts.append(root_of(split(bytes(self.pending))))
        return joined(parts)


def split(packed: bytes) -> list[bytes]:
    """The hashes in a run of bytes."""
    return [packed[start : start + HASH] for start in range(0, len(packed), HASH)]


def perfect_root(packed: bytes) -> bytes:
    """The root over 2^n leaf hashes in one run of bytes; the tight loop of the sealer."""
    sha256 = hashlib.sha256
    while len(packed) > HASH:
        packed = b"".join(
            [sha256(b"\x01" + packed[start : start + 2 * HASH]).digest() for start in range(0, len(packed), 2 * HASH)]
        )
    return packed


def joined(parts: Sequence[bytes]) -> bytes:
    """The hash over neighbouring complete subtrees whose sizes fall from left to right."""
    if not parts:
        return EMPTY_ROOT
    found = parts[-1]
    for part in reversed(parts[:-1]):
        found = node_hash(part, found)
    return found


def subtrees(start: int, end: int) -> Iterator[Subtree]:
    """The complete subtrees that together cover the leaves from `start` to before `end`, from the left."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def inclusion_ranges(leaf: int, size: int) -> list[Range]:
    """The ranges whose hashes are the inclusion proof of a leaf, in its order (RFC 9162, 2.1.3.1)."""
    found = list[Range]()
    start, end = 0, size
    while end - start > 1:
        middle = start + _below(end - start)
        if leaf < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes are the consistency proof between two sizes, in its order (RFC 9162, 2.1.4.1)."""
    if not 0 < old < new:
        return []
    found = list[Range]()
    start, end = 0, new
    while old < end:
        middle = start + _below(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    if start:
        found.append((start, old))
    return found[::-1]


def _below(count: int) -> int:
    """The largest power of two below a count of at least two."""
    return 1 << ((count - 1).bit_length() - 1)
