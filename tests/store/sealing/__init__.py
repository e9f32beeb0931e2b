"""The seal: the tree, keys, notes, proofs, and the sealer that works by a lease."""
