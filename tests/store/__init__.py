"""Tests of the store: the log, the projector and the database under them, on a real PostgreSQL."""
