"""Folded state and mathematics become conclusions; `assess(state, policy)` says what to do and does nothing."""
