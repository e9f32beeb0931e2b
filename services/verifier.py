"""The standalone verifier: checks proofs, signed checkpoints, feeds and receipts with nothing but the public key.

One file that can be copied out and run: it needs Python and the package `cryptography`, and nothing else of ours.
Sources: RFC 9162 (trees, §2.1), C2SP signed-note (notes, keys) and C2SP tlog-checkpoint (checkpoints).
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""
ED25519 = b"\x01"
"""The signature type of C2SP signed-note that is spoken here."""
MOST_SIGNATURES = 100
RECEIPT = "lodestone receipt 1"


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
            size, leaf = size >> 1, node_hash(self.peaks.pop(), leaf)
        self.peaks.append(leaf)

    def root(self) -> bytes:
        """The root at this size."""
        root = self.peaks[-1] if self.peaks else EMPTY_ROOT
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in one pass (RFC 9162, 2.1.1)."""
    tree = Tree()
    for leaf in leaf_hashes:
        tree.add(leaf)
    return tree.root()


def _sides(node: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a proof on the way up, and whether it stands to the left (RFC 9162, 2.1.3.2 and 2.1.4.2)."""
    for step in proof:
        if last == 0:
            raise Wrong("The proof has more hashes than a tree of this size allows.")
        left = bool(node & 1) or node == last
        yield step, left
        while left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("The proof has fewer hashes than a tree of this size needs.")


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """The leaf hash is at this index (from 0) of the tree (RFC 9162, 2.1.3.2). Raises Wrong."""
    if not 0 <= index < size:
        raise Wrong(f"There is no leaf {index} in a tree of {size}.")
    for step, left in _sides(index, size - 1, proof):
        leaf = node_hash(step, leaf) if left else node_hash(leaf, step)
    if leaf != root:
        raise Wrong(f"The inclusion proof of leaf {index} does not lead to the root of the tree of {size}.")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree of the old size is the beginning of that of the new size (RFC 9162, 2.1.4.2). Raises Wrong."""
    if not 0 <= old_size <= new_size:
        raise Wrong(f"A tree of {new_size} cannot have grown out of one of {old_size}.")
    if old_size in (0, new_size):
        if proof or old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise Wrong(f"Two different trees of {old_size} are claimed, or a proof where none is needed.")
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        raise Wrong("The consistency proof has no hashes.")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step, left in _sides(node, last, path[1:]):
        old = node_hash(step, old) if left else old
        new = node_hash(step, new) if left else node_hash(new, step)
    if (old, new) != (old_root, new_root):
        which = f"older root, of {old_size}" if old != old_root else f"newer root, of {new_size}"
        raise Wrong(f"The consistency proof does not lead to the {which}.")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name; `key_hash` is the first four bytes of SHA-256(name, newline, type, key)."""

    name: str
    key_hash: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"


def verifier_key(name: str, public: bytes) -> VerifierKey:
    """The verifier key of an Ed25519 public key of 32 bytes."""
    return VerifierKey(name, hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4], public)


def parse_verifier_key(text: str) -> VerifierKey:
    """Read `name+hash+key` (C2SP signed-note). Raises Wrong."""
    match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text)
    if match is None:
        raise Wrong("A verifier key has the form name+hash+key.")
    data = unbase64(match[3], "the verifier key")
    key = verifier_key(match[1], data[1:])
    if len(data) != 33 or data[:1] != ED25519 or str(key) != text:
        raise Wrong(f"The verifier key of {key.name} is not an Ed25519 key with the hash that it names.")
    return key


def unbase64(text: str, what: str) -> bytes:
    """Strict base64 (RFC 4648, 4). Raises Wrong, naming what was read."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except ValueError as error:
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
    known, names = {(key.name, key.key_hash): key for key in keys}, dict[str, None]()
    for line in lines:
        match = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        signature = unbase64(match[2], "a signature") if match else b""
        if match is None or len(signature) < 5:
            raise Wrong("A line of signatures in the note is malformed.")
        key = known.get((match[1], signature[:4]))
        if key is not None:
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], f"{text}\n".encode())
            except InvalidSignature as error:
                raise Wrong(f"The signature of {key.name} under the note is false.") from error
            names[key.name] = None
    if not names:
        raise Wrong("The note is signed by none of the keys given.")
    return f"{text}\n", tuple(names)


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
    if not re.fullmatch(r"0|[1-9][0-9]*", size) or len(unbase64(root, "the root")) != 32:
        raise Wrong(f"The size of the checkpoint, {size}, is not a number, or its root not a SHA-256.")
    return Checkpoint(origin, int(size), unbase64(root, "the root"), tuple(extensions))


def open_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """A signed checkpoint, by a key whose name begins its origin. Raises Wrong."""
    text, names = open_note(note, keys)
    found = parse_checkpoint(text)
    if not any(f"{found.origin}/".startswith(f"{name}/") for name in names):
        raise Wrong(f"The checkpoint is of {found.origin}, and the key that signed it is of {', '.join(names)}.")
    return found


def check_feed(entries: Iterable[tuple[int, bytes]], note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """These entries (number, stored bytes; repeats do no harm) are the whole feed that the note signs.

    Raises Wrong, naming the first number that is missing.
    """
    signed, held = open_checkpoint(note, keys), dict[int, bytes]()
    for number, data in entries:
        if held.setdefault(number, data) != data:
            raise Wrong(f"Entry {number} came twice, with different content.")
    for number in range(1, signed.size + 1):
        if number not in held:
            raise Wrong(f"Entry {number} is missing: the feed was signed with {signed.size} entries.")
    if len(held) != signed.size:
        raise Wrong(f"There are {len(held)} entries, and the checkpoint signs {signed.size} of them.")
    if root_of(leaf_hash(held[number]) for number in range(1, signed.size + 1)) != signed.root:
        raise Wrong(f"The {signed.size} entries are not those that were signed: their root is another.")
    return signed


def verify_receipt(receipt: dict[str, Any], keys: Sequence[VerifierKey]) -> dict[str, Any]:
    """What a sealed receipt proves: the event, its place in the log, and its place in the feed. Raises Wrong."""
    part = "receipt"
    try:
        if receipt["format"] != RECEIPT or not receipt["sealed"]:
            raise Wrong("it is not sealed, so it proves nothing yet: ask for it again.")
        data, places = unbase64(receipt["event"], "the event"), {"log": "position", "feed": "sequence"}
        trees: dict[str, Checkpoint] = {}
        for part, place in places.items():
            tree = trees[part] = open_checkpoint(receipt[part]["checkpoint"], keys)
            proof = [unbase64(step, "the proof") for step in receipt[part]["proof"]]
            verify_inclusion(leaf_hash(data), receipt[place] - 1, tree.size, proof, tree.root)
        part, event, stream = "event", json.loads(data), f"feeds/{receipt['party']}"
        if (event["stream"], event["streamversion"]) != (stream, str(receipt["sequence"])):
            raise Wrong(f"it is entry {event['streamversion']} of {event['stream']}, not the one claimed.")
        if trees["feed"].origin != f"{trees['log'].origin}/{stream}":
            raise Wrong(f"the feed of {trees['feed'].origin} is not that of this event.")
    except (Wrong, KeyError, TypeError, AttributeError) as error:
        raise Wrong(f"{part}: {error if isinstance(error, Wrong) else f'not of the right form, {error!r}'}") from error
    told = {name: receipt[name] for name in ("position", "party", "sequence")}
    return {
        **told,
        "log": trees["log"].origin,
        "size": trees["log"].size,
        "entries": trees["feed"].size,
        "event": event,
    }


def check(text: str, keys: Sequence[VerifierKey]) -> dict[str, Any]:
    """A receipt, or the pages of a feed from its start, a line each, as the service sent them. Raises Wrong."""
    pages = [json.loads(line) for line in text.splitlines() if line] if '"items":' in text else []
    if not pages:
        proven = verify_receipt(json.loads(text), keys)
        words = "entry {sequence} of {entries} in the feed of {party} is event {position} of {size} in the log {log}"
        return {"proven": words.format(**proven), **proven}
    entries, at = list[tuple[int, bytes]](), 0
    while match := re.compile(r'{"sequence":([0-9]+),"event":').search(text, at):
        _, at = json.JSONDecoder().raw_decode(text, match.end())
        entries.append((int(match[1]), text[match.end() : at].encode()))
    feed = check_feed(entries, str(pages[-1].get("checkpoint")), keys)
    return {"proven": f"these are all {feed.size} entries of {feed.origin}, none of them changed", "entries": feed.size}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: 0 and what was proven, or 1 and what is wrong."""
    parser = argparse.ArgumentParser(prog="verify-receipt", description="Verify a receipt or a whole feed, offline.")
    parser.add_argument("file", help="a receipt, or all pages of a feed, a line each; - reads standard input")
    parser.add_argument("--key", action="append", required=True, help="a key of the log, name+hash+key; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    options = parser.parse_args(arguments)
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
        found = check(text, [parse_verifier_key(key) for key in options.key])
    except (ValueError, OSError) as error:
        found = {"proven": None, "wrong": str(error)}
    said = f"Proven: {found['proven']}." if found["proven"] else f"Wrong: {found['wrong']}"
    out = sys.stdout if found["proven"] or options.json else sys.stderr
    out.write(f"{json.dumps(found, ensure_ascii=False) if options.json else said}\n")
    return 0 if found["proven"] else 1


if __name__ == "__main__":
    sys.exit(main())
