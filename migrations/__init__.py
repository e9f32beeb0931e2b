"""Alembic migrations of the log, its companions, access and checkpoints; projection tables follow from row types."""
