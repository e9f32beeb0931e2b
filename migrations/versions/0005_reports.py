"""What worker, ingress, relay and shards last said about themselves: they have no door of their own."""

from alembic import context, op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table: one row for each process and role, written over every second, nothing that must survive."""
    op.execute(
        text(
            "CREATE TABLE process_reports (name text NOT NULL, owner text NOT NULL, at timestamptz NOT NULL, "
            "body jsonb NOT NULL, PRIMARY KEY (name, owner)) WITH (fillfactor = 50)"
        )
    )
    role = context.config.attributes.get("service_role")
    query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if role and op.get_bind().execute(query, {"role": role}).scalar():
        op.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON process_reports TO {role}"))


def downgrade() -> None:
    """Living processes say it again within a second."""
    op.execute(text("DROP TABLE process_reports"))
