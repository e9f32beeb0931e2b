"""Trees by the definitions of RFC 9162 (2.1.1, 2.1.3.1, 2.1.4.1), word for word and slow: the verifier's oracle."""

import hashlib


def root(leaves):
    """MTH(D[n]) over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return _node(root(leaves[:middle]), root(leaves[middle:]))


def inclusion(index, leaves):
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion(index, leaves[:middle]), root(leaves[middle:])]
    return [*inclusion(index - middle, leaves[middle:]), root(leaves[:middle])]


def consistency(old_size, leaves):
    """PROOF(m, D[n])."""
    return _subproof(old_size, leaves, whole=True)


def _subproof(size, leaves, *, whole):
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    middle = _split(len(leaves))
    if size <= middle:
        return [*_subproof(size, leaves[:middle], whole=whole), root(leaves[middle:])]
    return [*_subproof(size - middle, leaves[middle:], whole=False), root(leaves[:middle])]


def _split(count):
    """The largest power of two smaller than count."""
    return 1 << ((count - 1).bit_length() - 1)


def _node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()
