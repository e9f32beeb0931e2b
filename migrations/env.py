"""Alembic's environment: runs the migrations on the database whose URL the caller put into the attributes."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

_LOCK = 7_031_990_002
"""Advisory lock, so that processes that start together migrate one after another."""


def run() -> None:
    """Run the migrations in one transaction, under the lock; `found` tells the caller the version before."""
    attributes = context.config.attributes
    # Without a pool the connection ends here, and with it the lock, also when a migration fails.
    arguments = attributes.get("connect_with", {"connect_timeout": 5})
    engine = create_engine(attributes["url"], connect_args=arguments, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=False)
        attributes["found"] = context.get_context().get_current_revision()
        connection.commit()
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
