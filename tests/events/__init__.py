"""Tests of the envelope, the canonical bytes, the catalogue, and receiving."""
