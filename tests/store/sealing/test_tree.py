"""The growing tree is the tree of the definition, and its proofs verify, at every size that could go wrong."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.store.sealing.tree import (
    TILE,
    Growing,
    consistency_ranges,
    inclusion_ranges,
    joined,
    perfect_root,
    subtrees,
)
from services.verifier import verify_consistency, verify_inclusion
from tests.verifier import trees

LEAVES = [hashlib.sha256(b"%d" % number).digest() for number in range(3 * TILE + 40)]
SIZES = (1, 2, 3, 7, 8, 9, 255, 256, 257, 511, 512, 513, 767, 768, len(LEAVES))


def hashes(ranges):
    return [trees.root(LEAVES[start:end]) for start, end in ranges]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=6))
def test_the_tree_is_the_same_however_the_leaves_come(lengths):
    growing, at = Growing(), 0
    nodes: dict[tuple[int, int], bytes] = {}
    for length in lengths:
        grown = growing.add(b"".join(LEAVES[at : at + length]))
        at = min(at + length, len(LEAVES))
        nodes |= {(level, index): digest for level, index, digest in grown}
        assert growing.size == at
        assert growing.root() == trees.root(LEAVES[:at])
    assert set(nodes) == {
        (level, index) for level in range(8, 13) for index in range(at >> level) if (index + 1) << level <= at
    }
    for (level, index), digest in nodes.items():
        assert digest == trees.root(LEAVES[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_verify_and_are_those_of_the_definition(size):
    for leaf in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = hashes(inclusion_ranges(leaf, size))
        assert proof == trees.inclusion(leaf, LEAVES[:size])
        verify_inclusion(LEAVES[leaf], leaf, size, proof, trees.root(LEAVES[:size]))


@pytest.mark.parametrize("size", SIZES)
def test_consistency_proofs_verify_and_are_those_of_the_definition(size):
    for old in {1, 2, size // 3, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = hashes(consistency_ranges(old, size))
        assert proof == trees.consistency(old, LEAVES[:size])
        verify_consistency(old, trees.root(LEAVES[:old]), size, trees.root(LEAVES[:size]), proof)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_range_is_covered_once_by_complete_subtrees(start, length):
    covered = [(index << level, (index + 1) << level) for level, index in subtrees(start, start + length)]
    assert [begin for begin, _ in covered] + [start + length] == [start] + [end for _, end in covered]


def test_the_tight_loop_hashes_as_the_definition_does():
    assert perfect_root(b"".join(LEAVES[:TILE])) == trees.root(LEAVES[:TILE])
    assert joined([]) == hashlib.sha256(b"").digest()
