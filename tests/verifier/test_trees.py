"""Roots and proofs: the vectors known from Certificate Transparency, and brute force by the RFC's definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.verifier import EMPTY_ROOT, Wrong, leaf_hash, root_of, verify_consistency, verify_inclusion
from tests.verifier import trees

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION_5_OF_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
CONSISTENCY_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
CONSISTENCY_2_TO_5 = [
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
]


def hexes(texts):
    return [bytes.fromhex(text) for text in texts]


def leaves(count):
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_the_roots_are_those_published():
    hashes = [leaf_hash(data) for data in hexes(LEAVES)]
    assert [root_of(hashes[: size + 1]).hex() for size in range(8)] == ROOTS
    assert root_of([]) == EMPTY_ROOT


def test_the_published_proofs_hold():
    roots = hexes(ROOTS)
    verify_inclusion(leaf_hash(bytes.fromhex(LEAVES[5])), 5, 8, hexes(INCLUSION_5_OF_8), roots[7])
    verify_inclusion(leaf_hash(b""), 0, 1, [], roots[0])
    verify_consistency(6, roots[5], 8, roots[7], hexes(CONSISTENCY_6_TO_8))
    verify_consistency(2, roots[1], 5, roots[4], hexes(CONSISTENCY_2_TO_5))
    verify_consistency(1, roots[0], 1, roots[0], [])
    verify_consistency(0, EMPTY_ROOT, 5, roots[4], [])


def test_every_proof_of_every_small_tree_holds():
    for size in range(1, 34):
        hashes = leaves(size)
        root = trees.root(hashes)
        assert root_of(hashes) == root
        for index in range(size):
            verify_inclusion(hashes[index], index, size, trees.inclusion(index, hashes), root)
        for old in range(1, size + 1):
            verify_consistency(old, trees.root(hashes[:old]), size, root, trees.consistency(old, hashes))


@st.composite
def _changed(draw, proofs):
    """A proof with one hash flipped, left out, doubled, or two of them swapped."""
    proof = list(proofs)
    at = draw(st.integers(0, len(proof) - 1))
    how = draw(st.sampled_from(["flip", "drop", "double", "swap"]))
    if how == "flip":
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    elif how == "drop":
        del proof[at]
    elif how == "double":
        proof.insert(at, proof[at])
    else:
        other = draw(st.integers(0, len(proof) - 1))
        proof[at], proof[other] = proof[other], proof[at]
    return proof


@given(st.data(), st.integers(2, 70))
def test_a_changed_inclusion_proof_is_wrong(data, size):
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    right = trees.inclusion(index, hashes)
    proof = data.draw(_changed(right))
    if proof != right:
        with pytest.raises(Wrong):
            verify_inclusion(hashes[index], index, size, proof, trees.root(hashes))
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        with pytest.raises(Wrong):
            verify_inclusion(hashes[index], other, size, right, trees.root(hashes))


@given(st.data(), st.integers(3, 70))
def test_a_changed_consistency_proof_is_wrong(data, size):
    hashes = leaves(size)
    old = data.draw(st.integers(1, size - 1))
    right = trees.consistency(old, hashes)
    roots = trees.root(hashes[:old]), trees.root(hashes)
    proof = data.draw(_changed(right))
    if proof != right:
        with pytest.raises(Wrong):
            verify_consistency(old, roots[0], size, roots[1], proof)
    with pytest.raises(Wrong):
        verify_consistency(old, leaf_hash(b"another history"), size, roots[1], right)
    with pytest.raises(Wrong):
        verify_consistency(old, roots[0], size, leaf_hash(b"another history"), right)


def test_a_proof_for_one_size_proves_nothing_about_another_with_the_same_root():
    first, second = leaves(2)
    root = trees.root([first, second])
    verify_inclusion(first, 0, 2, [second], root)
    with pytest.raises(Wrong, match="fewer hashes"):
        verify_inclusion(first, 0, 3, [second], root)
    with pytest.raises(Wrong, match="more hashes"):
        verify_inclusion(second, 0, 1, [first], root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (9, 8)])
def test_a_leaf_outside_the_tree_is_in_no_proof(index, size):
    with pytest.raises(Wrong):
        verify_inclusion(leaf_hash(b""), index, size, [], leaf_hash(b""))


def test_a_tree_does_not_shrink_and_one_size_has_one_root():
    with pytest.raises(Wrong):
        verify_consistency(5, EMPTY_ROOT, 4, EMPTY_ROOT, [])
    with pytest.raises(Wrong):
        verify_consistency(4, leaf_hash(b"a"), 4, leaf_hash(b"b"), [])
    with pytest.raises(Wrong):
        verify_consistency(3, leaf_hash(b"a"), 4, leaf_hash(b"b"), [])
