"""Writing signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint); `services.verifier` reads them.

The origin is made of the log's own id, never of a host: a log that moves stays the log it is. A log that was restored
and goes on from an earlier state may sign what contradicts what it signed before; a checkpoint's origin therefore names
the epoch from the second one on, so that to every verifier it is another log.
"""

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.verifier import VerifierKey, Wrong, open_note, verifier_key

PLACE = "lodestone.invalid/log"
"""Under `.invalid` (RFC 2606) nobody can own the name: an origin says which log, not where."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the name under which it signs."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def verifier(self) -> VerifierKey:
        """What verifies its signatures."""
        return verifier_key(self.name, self.public)


def key_name(log_id: str) -> str:
    """The name under which all keys of a log sign."""
    return f"{PLACE}/{log_id}"


def origin_of(log_id: str, epoch: int) -> str:
    """The first line of a log's checkpoints in an epoch, which is counted from 1."""
    return key_name(log_id) if epoch == 1 else f"{key_name(log_id)}/epoch/{epoch}"


def epoch_of(origin: str) -> int:
    """The epoch in the origin of a checkpoint."""
    number = origin.rpartition("/epoch/")[2]
    return int(number) if number.isdecimal() and "/epoch/" in origin else 1


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint, to be signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign_note(text: str, *keys: SigningKey) -> str:
    """The signed note over a text that ends in a newline, one line for each key."""
    assert text.endswith("\n")
    lines = []
    for key in keys:
        signature = base64.b64encode(key.verifier.key_hash + key.private.sign(text.encode())).decode()
        lines.append(f"— {key.name} {signature}\n")
    return f"{text}\n{''.join(lines)}"


def signed_by(note: str, key: SigningKey) -> bool:
    """Whether this key signed the note."""
    try:
        open_note(note, [key.verifier])
    except Wrong:
        return False
    return True
