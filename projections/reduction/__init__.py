"""Samples become quantities with a standard uncertainty. Sees the mathematics only; knows no event."""
