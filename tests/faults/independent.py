"""A checker that imports nothing of ours: exported lines, a verifier key and an older checkpoint against each other.

`python tests/faults/independent.py EXPORT CHECKPOINT KEY`. SHA-256 from hashlib; Ed25519 is written out below after
RFC 8032 (5.1.7), so that not even the library is shared with the service. Trees after RFC 9162 (2.1.1).
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
INTRODUCED, SIGNED = "lodestone.ledger.key_introduced.v1", "lodestone.ledger.checkpoint_signed.v1"


class Tampered(Exception):
    """What is wrong, and between which positions."""

    def __init__(self, first, last, sentence):
        super().__init__(f"positions {first} to {last}: {sentence}")
        self.first, self.last = first, last


def plus(p, q):
    """The sum of two points in extended coordinates (RFC 8032, 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    """A multiple of a point."""
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = plus(found, point)
        point, number = plus(point, point), number >> 1
    return found


def point_of(data):
    """The point in 32 bytes (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little") & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or y >= P:
        raise ValueError("not a point")
    if x & 1 != data[31] >> 7:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(public, message, signature):
    """Ed25519 (RFC 8032, 5.1.7)."""
    try:
        key, r = point_of(public), point_of(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
    left, right = times(s, BASE), plus(r, times(h % ORDER, key))
    same = (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
    return s < ORDER and same


def opened(note, verifier):
    """(size, root) of a checkpoint signed by this verifier key, or None."""
    name, hexadecimal, encoded = verifier.split("+", 2)
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        data = base64.b64decode(signature)
        known = (signer, data[:4].hex()) == (name, hexadecimal)
        if known and signature_holds(base64.b64decode(encoded)[1:], text.encode(), data[4:]):
            return int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])
    return None


class Tree:
    """The roots of the full subtrees, from the left."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def add(self, line):
        found, size = hashlib.sha256(b"\x00" + line).digest(), self.size
        while size & 1:
            found, size = hashlib.sha256(b"\x01" + self.peaks.pop() + found).digest(), size >> 1
        self.peaks.append(found)
        self.size += 1

    def root(self):
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = hashlib.sha256(b"\x01" + peak + found).digest()
        return found


def check(lines, checkpoint, verifier):
    """Raise Tampered unless the exported lines are what the checkpoint and those in the lines were signed over.

    `verifier` is the key that signed the checkpoint which somebody kept. Returns how many events are confirmed.
    """
    kept = opened(checkpoint, verifier)
    if kept is None:
        raise Tampered(1, 1, "the kept checkpoint is not signed by this key")
    tree, roots, confirmed, key, keys = Tree(), {}, 0, None, []
    for position, line in enumerate(lines, 1):
        tree.add(line)
        roots[position] = tree.root()
        if position == kept[0] and roots[position] != kept[1]:
            raise Tampered(confirmed + 1, position, "the lines are not what the kept checkpoint was signed over")
        event = json.loads(line)
        if event["type"] == INTRODUCED:
            key = event["data"]["verifier_key"]
            keys.append((position, key))
        if event["type"] == SIGNED:
            size = anchored(event["data"], position, roots, keys, confirmed)
            # A key that was rotated out may be in anybody's hands: what it signed is checked, and confirms nothing.
            confirmed = size if opened(event["data"]["note"], verifier) else confirmed
    if tree.size < kept[0]:
        raise Tampered(tree.size + 1, kept[0], "the tail was cut")
    if verifier not in [known for _, known in keys]:
        raise Tampered(1, kept[0], "the lines introduce other keys than ours")
    return max(confirmed, kept[0])


def anchored(data, position, roots, keys, confirmed):
    """One checkpoint that the lines carry, by the key in force at its size; that size."""
    size = data["size"]
    in_force = [known for at, known in keys if at <= size] or [known for _, known in keys[:1]]
    found = opened(data["note"], in_force[-1])
    if found is None:
        raise Tampered(confirmed + 1, position, f"the checkpoint of {size} is not signed by the key in force then")
    if found != (size, roots.get(size)):
        raise Tampered(confirmed + 1, size, f"the lines are not what the checkpoint of {size} was signed over")
    return size


def main():
    """Check files; exit 1 says what is wrong."""
    export, checkpoint, verifier = sys.argv[1:]
    with Path(export).open("rb") as lines:
        try:
            found = check((line.rstrip(b"\n") for line in lines), Path(checkpoint).read_text(), verifier)
        except Tampered as error:
            print(f"TAMPERED, {error}.")
            return 1
    print(f"{found} events are what was signed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
