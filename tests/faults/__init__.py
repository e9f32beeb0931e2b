"""Faults made on purpose: processes killed at random moments, and what must be true afterwards."""
