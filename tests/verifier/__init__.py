"""The verifier against published vectors, brute force, and everything that can be changed about a proof."""
