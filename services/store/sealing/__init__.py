"""Sealing: the log's Merkle tree, signed checkpoints, proofs and receipts (RFC 9162, C2SP)."""
