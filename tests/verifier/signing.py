"""A small signer of notes for the tests, written from the specification (C2SP signed-note)."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.verifier import verifier_key


class Signer:
    """Signs notes under a name."""

    def __init__(self, name, private=None):
        self._private = private or Ed25519PrivateKey.generate()
        self.key = verifier_key(name, self._private.public_key().public_bytes_raw())

    def sign(self, text):
        """The note over a text that ends in a newline."""
        signature = base64.b64encode(self.key.key_hash + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.key.name} {signature}\n"

    def checkpoint(self, origin, size, root, *extensions):
        """A signed checkpoint."""
        lines = [origin, str(size), base64.b64encode(root).decode(), *extensions]
        return self.sign("".join(f"{line}\n" for line in lines))
