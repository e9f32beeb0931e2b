"""The worked example of docs/proofs.md: three stored events, and everything that is computed from them, in hex.

`python -m tests.store.sealing.worked` prints it; a test holds the document to it. Computed with hashlib and the
Ed25519 of `cryptography` alone, step by step, so that it explains the formats and not our code.
"""

import base64
import hashlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "lodestone.invalid/log/3f0d5f6e-6a51-4c0e-9d42-8f1f6a0b7c11"
SEED = bytes(range(32))
EVENTS = (
    b'{"specversion":"1.0","id":"1","source":"/benches/B1","type":"t","data":{"n":1}}',
    b'{"specversion":"1.0","id":"2","source":"/benches/B1","type":"t","data":{"n":2}}',
    b'{"specversion":"1.0","id":"3","source":"/benches/B1","type":"t","data":{"n":3}}',
)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def note(text: str) -> str:
    """The text, an empty line, and the signature line of the example's key."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    return f"{text}\n— {NAME} {base64_of(key_hash() + key.sign(text.encode()))}\n"


def public() -> bytes:
    return Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_hash() -> bytes:
    return sha256(NAME.encode() + b"\n\x01" + public())[:4]


def example() -> str:
    """The example as it stands in the document."""
    leaves = [sha256(b"\x00" + event) for event in EVENTS]
    left = sha256(b"\x01" + leaves[0] + leaves[1])
    root = sha256(b"\x01" + left + leaves[2])
    text = f"{NAME}\n3\n{base64_of(root)}\n"
    older = f"{NAME}\n2\n{base64_of(left)}\n"
    lines = [f"event {number}          {event.decode()}" for number, event in enumerate(EVENTS, 1)]
    lines += [f"leaf {number}           {leaf.hex()}" for number, leaf in enumerate(leaves)]
    lines += [
        f"node (1, 0)      {left.hex()}",
        f"root of 2        {left.hex()}",
        f"root of 3        {root.hex()}",
        "",
        f"private key      {SEED.hex()}",
        f"public key       {public().hex()}",
        f"key hash         {key_hash().hex()}",
        f"verifier key     {NAME}+{key_hash().hex()}+{base64_of(bytes([1]) + public())}",
        "",
        f"signed bytes     {text.encode().hex()}",
        "",
        "checkpoint of 3:",
        note(text),
        "checkpoint of 2:",
        note(older),
        "inclusion of event 2 (leaf 1) in 3:",
        f'["{base64_of(leaves[0])}", "{base64_of(leaves[2])}"]',
        "consistency from 2 to 3:",
        f'["{base64_of(leaves[2])}"]',
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(example() + "\n")
