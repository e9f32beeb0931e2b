"""Verifying: every stored event again, from its bytes, every seal over them, and every projection from the log."""

from services.store.verifying.verification import Verification, verify

__all__ = ["Verification", "verify"]
