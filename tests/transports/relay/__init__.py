"""Tests of the relay, with a real broker and, where a process may die, with real processes."""
