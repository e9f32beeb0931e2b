"""The database: an embedded PostgreSQL or any other, connections as the service role, migrations as the owner."""

from services.store.database.connections import Database, alembic_config, prepared, unavailable

__all__ = ["Database", "alembic_config", "prepared", "unavailable"]
