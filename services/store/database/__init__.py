"""The database: an embedded PostgreSQL or any other, connections as the service role, migrations as the owner."""

from services.store.database.connections import Database
from services.store.database.migrating import Migrated, alembic_config
from services.store.database.refusals import prepared, unavailable

__all__ = ["Database", "Migrated", "alembic_config", "prepared", "unavailable"]
