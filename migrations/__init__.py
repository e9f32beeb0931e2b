"""The database schema of the log, by Alembic. Stands alone: imports nothing of ours."""
