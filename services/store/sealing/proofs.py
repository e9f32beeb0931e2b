"""Proofs from the stored tree: each reads O(log n) rows (RFC 9162, 2.1.3 and 2.1.4)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by

from events.errors import Refused
from services.store.sealing.tree import (
    HASH,
    LEVEL,
    TILE,
    Growing,
    Range,
    Subtree,
    consistency_ranges,
    inclusion_ranges,
    joined,
    perfect_root,
    subtrees,
)
from services.store.tables import log_events, log_leaves, log_nodes

LOG = ""
"""The name of the log's own tree."""
Reading = Callable[[Iterable[Subtree]], Mapping[Subtree, bytes]]
"""Reads the hashes of complete subtrees, all at once."""


class TreeHole(Refused):
    """A part of the log or of its stored tree is not there: an alarm, `lodestone verify` says where."""


def log_tree(connection: Connection) -> Reading:
    """Reads the log's own tree. Raises TreeHole."""

    def read(wanted: Iterable[Subtree]) -> dict[Subtree, bytes]:
        every = set(wanted)
        high = {subtree for subtree in every if subtree[0] >= LEVEL}
        return {**stored_nodes(connection, LOG, high), **_low(connection, every - high)}

    return read


def stored_nodes(connection: Connection, tree: str, wanted: Iterable[Subtree]) -> dict[Subtree, bytes]:
    """The hashes of these complete subtrees as they are stored one by one. Raises TreeHole."""
    every, table = set(wanted), log_nodes
    if not every:
        return {}
    query = select(table.c.level, table.c.index, table.c.hash).where(
        table.c.tree == tree, tuple_(table.c.level, table.c.index).in_(sorted(every))
    )
    found = {(level, index): bytes(digest) for level, index, digest in connection.execute(query)}
    if every - found.keys():
        raise TreeHole(f"The tree '{tree}' lacks its subtrees {sorted(every - found.keys())}.")
    return found


def _low(connection: Connection, wanted: Iterable[Subtree]) -> dict[Subtree, bytes]:
    """Subtrees below what is stored, hashed again from their sealed leaves; those of one proof are neighbours."""
    by_tile = defaultdict[int, list[Subtree]](list)
    for level, index in wanted:
        by_tile[(index << level) // TILE].append((level, index))
    found = dict[Subtree, bytes]()
    for tile, subtrees_here in by_tile.items():
        base = tile * TILE
        leaves = sealed_leaves(connection, base, base + TILE)
        for level, index in subtrees_here:
            start = ((index << level) - base) * HASH
            part = leaves[start : start + (HASH << level)]
            if len(part) != HASH << level:
                raise TreeHole(f"The sealed leaves of subtree {(level, index)} are not all there.")
            found[level, index] = perfect_root(part)
    return found


_SEALED = text(f"""
    SELECT start, substring(hashes
        FROM CAST(greatest(:start - start, 0) * {HASH} + 1 AS integer)
        FOR CAST((:end - greatest(start, :start)) * {HASH} AS integer))
    FROM {log_leaves.name}
    WHERE start >= (SELECT coalesce(max(start), 0) FROM {log_leaves.name} WHERE start <= :start) AND start < :end
    ORDER BY start
""")
"""Only the part of a run that is wanted is read: hashes are stored so that PostgreSQL can cut them."""


def sealed_leaves(connection: Connection, start: int, end: int) -> bytes:
    """The leaf hashes as they were sealed, from one leaf to before another, as far as they go without a gap."""
    found = b""
    for first, part in connection.execute(_SEALED, {"start": start, "end": end}):
        if max(first, start) != start + len(found) // HASH:
            break
        found += bytes(part)
    return found


def packed_leaves(connection: Connection, start: int, end: int) -> bytes:
    """The leaf hashes of the positions after `start` up to `end` in one run of bytes, as far as the log goes.

    Raises TreeHole when a position between them is missing.
    """
    table = log_events
    run = func.string_agg(table.c.leaf_hash, aggregate_order_by(func.decode("", "hex"), table.c.position))
    query = select(run, func.max(table.c.position)).where(table.c.position > start, table.c.position <= end)
    packed, last = connection.execute(query).one()
    if packed is None:
        return b""
    if len(packed) != (last - start) * HASH:
        raise TreeHole(f"The log is not contiguous between the positions {start + 1} and {last}.")
    return bytes(packed)


def right_edge(connection: Connection, size: int) -> Growing:
    """The tree at a size that is sealed, ready to grow on. Raises TreeHole."""
    whole = size // TILE * TILE
    parts = list(subtrees(0, whole))
    nodes = stored_nodes(connection, LOG, parts)
    pending = packed_leaves(connection, whole, size)
    if len(pending) != (size - whole) * HASH:
        raise TreeHole(f"The log ends before position {size}, which is sealed.")
    return Growing(size, [(level, nodes[level, index]) for level, index in parts], bytearray(pending))


def root_at(read: Reading, size: int) -> bytes:
    """The root of the tree when it had this size."""
    return _hashes(read, [(0, size)])[0]


def inclusion(read: Reading, leaf: int, size: int) -> list[bytes]:
    """The proof that a leaf (from 0) is in the tree of this size."""
    return _hashes(read, inclusion_ranges(leaf, size))


def consistency(read: Reading, old: int, new: int) -> list[bytes]:
    """The proof that the tree of the old size is the beginning of that of the new size."""
    return _hashes(read, consistency_ranges(old, new))


def _hashes(read: Reading, ranges: Sequence[Range]) -> list[bytes]:
    """The hash of each range; all subtrees they are made of are read at once."""
    made_of = [list(subtrees(start, end)) for start, end in ranges]
    known = read({subtree for parts in made_of for subtree in parts})
    return [joined([known[subtree] for subtree in parts]) for parts in made_of]
