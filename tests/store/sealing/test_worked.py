"""The worked example of docs/proofs.md is true: of the document, of our own code, and of the standalone verifier."""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.store.sealing.notes import SigningKey, checkpoint_text, origin_of, sign_note
from services.store.sealing.tree import Growing, consistency_ranges, inclusion_ranges
from services.verifier import (
    leaf_hash,
    open_note,
    parse_checkpoint,
    parse_verifier_key,
    unbase64,
    verify_consistency,
    verify_inclusion,
)
from tests.faults import independent
from tests.store.sealing.worked import EVENTS, NAME, SEED, example

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "proofs.md"
TEXT = example()


def after(title: str) -> str:
    """What stands under or beside a title of the example."""
    return TEXT.partition(title)[2].lstrip(" \n")


def note(size: int) -> str:
    found = after(f"checkpoint of {size}:")
    return found[: found.index("\n", found.index("— ")) + 1]


def hashes(title: str) -> list[bytes]:
    line = after(title).split("\n")[0]
    return [unbase64(part.strip('[]" '), title) for part in line.split(",")]


def test_the_document_holds_the_example_as_it_is_computed() -> None:
    assert TEXT in DOCUMENT.read_text(encoding="utf-8")


def test_our_code_makes_the_same_tree_and_the_same_notes() -> None:
    key = SigningKey(NAME, Ed25519PrivateKey.from_private_bytes(SEED))
    assert str(key.verifier) == after("verifier key").split("\n")[0]
    growing = Growing()
    growing.add(b"".join(leaf_hash(event) for event in EVENTS))
    assert growing.root().hex() == after("root of 3").split("\n")[0]
    log = NAME.rpartition("/")[2]
    assert sign_note(checkpoint_text(origin_of(log, 1), 3, growing.root()), key) == note(3)
    assert inclusion_ranges(1, 3) == [(0, 1), (2, 3)]
    assert consistency_ranges(2, 3) == [(2, 3)]


def test_the_verifier_agrees() -> None:
    key = parse_verifier_key(after("verifier key").split("\n")[0])
    old, new = (parse_checkpoint(open_note(note(size), [key])[0]) for size in (2, 3))
    verify_inclusion(leaf_hash(EVENTS[1]), 1, 3, hashes("inclusion of event 2 (leaf 1) in 3:"), new.root)
    verify_consistency(2, old.root, 3, new.root, hashes("consistency from 2 to 3:"))


def test_the_checker_that_shares_nothing_agrees() -> None:
    verifier = after("verifier key").split("\n")[0]
    size, root = independent.opened(note(3), verifier)
    tree = independent.Tree()
    for event in EVENTS:
        tree.add(event)
    assert (size, root) == (3, tree.root())
    assert independent.opened(note(3).replace("\n3\n", "\n4\n"), verifier) is None


def test_the_private_key_of_the_example_is_the_one_of_its_hash() -> None:
    digest = hashlib.sha256(NAME.encode() + b"\n\x01" + bytes.fromhex(after("public key").split("\n")[0]))
    assert digest.digest()[:4].hex() == after("key hash").split("\n")[0]
