"""Secrets: 256 random bits with a prefix that names what they are for; only their SHA-256 is kept."""

import hashlib
import secrets

TOKEN = "lode_"
LINK = "link_"
SESSION = "sess_"


def new_secret(prefix: str) -> str:
    """A fresh secret of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored and looked up: the SHA-256 in hexadecimal. A 256-bit secret needs no salt and no stretching."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare without telling by time how far they agree."""
    return secrets.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
