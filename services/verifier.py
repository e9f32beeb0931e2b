"""The standalone verifier: checks proofs, signed checkpoints, feeds and receipts with nothing but the public key.

One file that can be copied out and run: it needs Python and the package `cryptography`, and nothing else of ours.
Sources: RFC 9162 (trees, §2.1), C2SP signed-note (notes, keys) and C2SP tlog-checkpoint (checkpoints).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""
ED25519 = 1
"""The signature type of C2SP signed-note that is spoken here."""
MOST_SIGNATURES = 100
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class Wrong(ValueError):
    """One sentence: what does not hold."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 0x00 and its bytes (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 of 0x01 and the hashes of its two sides (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows, kept as the roots of its full subtrees: log2(size) hashes, whatever its size."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        size, self.size = self.size, self.size + 1
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)

    def root(self) -> bytes:
        """The root at this size."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in one pass (RFC 9162, 2.1.1)."""
    tree = Tree()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """The leaf hash is at this index (from 0) of the tree (RFC 9162, 2.1.3.2). Raises Wrong."""
    if not 0 <= index < size:
        raise Wrong(f"There is no leaf {index} in a tree of {size}.")
    node, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise Wrong("The inclusion proof has more hashes than a tree of this size allows.")
        if node & 1 or node == last:
            found = node_hash(step, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Wrong("The inclusion proof has fewer hashes than a tree of this size needs.")
    if found != root:
        raise Wrong(f"The inclusion proof of leaf {index} does not lead to the root of the tree of {size}.")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree of the old size is the beginning of that of the new size (RFC 9162, 2.1.4.2). Raises Wrong."""
    if not 0 <= old_size <= new_size:
        raise Wrong(f"A tree of {new_size} cannot have grown out of one of {old_size}.")
    if old_size == 0 or old_size == new_size:
        expected = EMPTY_ROOT if old_size == 0 else new_root
        if proof or old_root != expected:
            raise Wrong(f"Two different trees of {old_size} are claimed, or a proof where none is needed.")
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if not path:
        raise Wrong("The consistency proof has no hashes.")
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            raise Wrong("The consistency proof has more hashes than trees of these sizes allow.")
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Wrong("The consistency proof has fewer hashes than trees of these sizes need.")
    if old != old_root:
        raise Wrong(f"The consistency proof does not lead to the older root, of {old_size}.")
    if new != new_root:
        raise Wrong(f"The consistency proof does not lead to the newer root, of {new_size}.")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name; `key_hash` is the first four bytes of SHA-256(name, newline, type, key)."""

    name: str
    key_hash: bytes
    public: bytes

    def __str__(self) -> str:
        text = base64.b64encode(bytes([ED25519]) + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{text}"


def verifier_key(name: str, public: bytes) -> VerifierKey:
    """The verifier key of an Ed25519 public key of 32 bytes."""
    digest = hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()
    return VerifierKey(name, digest[:4], public)


def parse_verifier_key(text: str) -> VerifierKey:
    """Read `name+hash+key` (C2SP signed-note). Raises Wrong."""
    parts = text.split("+", 2)
    if len(parts) != 3 or not parts[0] or any(sign.isspace() for sign in parts[0]):
        raise Wrong("A verifier key has the form name+hash+key.")
    name, hexadecimal, encoded = parts
    data = unbase64(encoded, "the verifier key")
    if len(data) != 33 or data[0] != ED25519:
        raise Wrong(f"The verifier key of {name} is not an Ed25519 key.")
    key = verifier_key(name, data[1:])
    if hexadecimal != key.key_hash.hex():
        raise Wrong(f"The verifier key of {name} has the hash {hexadecimal}, and {key.key_hash.hex()} is right.")
    return key


def unbase64(text: str, what: str) -> bytes:
    """Strict base64 (RFC 4648, 4). Raises Wrong, naming what was read."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong(f"The base64 of {what} cannot be read.") from error
    if base64.b64encode(data).decode() != text:
        raise Wrong(f"The base64 of {what} is not in its one right form.")
    return data


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[str, ...]]:
    """The text of a signed note (C2SP signed-note), and the names of the keys that signed it.

    Raises Wrong when the note is malformed, when a signature by one of the keys is false, or when none of them signed.
    """
    text, gap, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    control = any(sign < " " and sign != "\n" for sign in note)
    if not gap or control or lines.pop() or not 0 < len(lines) <= MOST_SIGNATURES:
        raise Wrong("This is not a signed note: text, an empty line, and lines of signatures.")
    text += "\n"
    known = {(key.name, key.key_hash): key for key in keys}
    names: dict[str, None] = {}
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        signature = unbase64(match[2], "a signature") if match else b""
        if match is None or len(signature) < 5:
            raise Wrong("A line of signatures in the note is malformed.")
        key = known.get((match[1], signature[:4]))
        if key is not None:
            _verify(key, signature[4:], text)
            names[key.name] = None
    if not names:
        raise Wrong("The note is signed by none of the keys given.")
    return text, tuple(names)


def _verify(key: VerifierKey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature as error:
        raise Wrong(f"The signature of {key.name} under the note is false.") from error


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: whose log, how many leaves, their root, and further lines (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint. Raises Wrong."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise Wrong("A checkpoint has at least three lines: origin, size, root.")
    origin, size, root, *extensions = lines
    if not re.fullmatch(r"0|[1-9][0-9]*", size, re.ASCII):
        raise Wrong(f"The size of the checkpoint is not a number: {size}.")
    digest = unbase64(root, "the root")
    if len(digest) != hashlib.sha256().digest_size:
        raise Wrong("The root of the checkpoint is not a SHA-256.")
    return Checkpoint(origin, int(size), digest, tuple(extensions))
