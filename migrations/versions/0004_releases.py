"""Which release first knew each event type, so that an older one can say which release to run."""

from alembic import context, op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; every release records its own types when it starts."""
    op.execute(
        text("CREATE TABLE event_types (type text PRIMARY KEY, release text NOT NULL, first_seen timestamptz NOT NULL)")
    )
    role = context.config.attributes.get("service_role")
    query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if role and op.get_bind().execute(query, {"role": role}).scalar():
        op.execute(text(f"GRANT SELECT, INSERT ON event_types TO {role}"))


def downgrade() -> None:
    """What it says can be recorded again."""
    op.execute(text("DROP TABLE event_types"))
