"""Tests of the closed forms against the dossier's printed numbers."""
