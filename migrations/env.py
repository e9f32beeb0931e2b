"""Alembic's environment: runs the migrations on the database whose URL the caller put into the attributes."""

from alembic import context
from sqlalchemy import create_engine, text

_LOCK = 7_031_990_002
"""Advisory lock, so that processes that start together migrate one after another."""


def run() -> None:
    """Run the migrations in one transaction, under the lock."""
    engine = create_engine(context.config.attributes["url"], connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()
    engine.dispose()


run()
