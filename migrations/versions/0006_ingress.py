"""Ingress: how far each partition of Kafka was brought into the log, and what was refused and is still to be told."""

from alembic import context, op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables. Neither is the log: a cursor moves, and what was told is removed."""
    op.execute(text("CREATE TABLE log_cursors (name text PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50)"))
    op.execute(
        text(
            "CREATE TABLE ingress_rejections (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            'topic text NOT NULL, partition integer NOT NULL, "offset" bigint NOT NULL, key bytea, value bytea, '
            "headers jsonb NOT NULL, problem jsonb NOT NULL, quarantine_id text NOT NULL)"
        )
    )
    role = context.config.attributes.get("service_role")
    query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if role and op.get_bind().execute(query, {"role": role}).scalar():
        op.execute(text(f"GRANT SELECT, INSERT, UPDATE ON log_cursors TO {role}"))
        op.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ingress_rejections TO {role}"))


def downgrade() -> None:
    """Refused while anything is in them: without its cursor a topic would be read from its start."""
    if op.get_bind().execute(text("SELECT EXISTS (SELECT FROM log_cursors)")).scalar():
        raise RuntimeError("events came in from Kafka; going back would forget how far")
    op.execute(text("DROP TABLE ingress_rejections, log_cursors"))
