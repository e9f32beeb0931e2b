"""Projections that several workers fold, a share for each partition of the log's topic."""

from alembic import context, op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SHARES = """
CREATE TABLE projection_shares (
    projection text NOT NULL,
    generation bigint NOT NULL,
    share integer NOT NULL,
    position bigint NOT NULL,
    next_offset bigint,
    sequence bigint,
    PRIMARY KEY (projection, generation, share),
    FOREIGN KEY (projection, generation) REFERENCES projection_checkpoints (name, generation) ON DELETE CASCADE
) WITH (fillfactor = 50)
"""


def upgrade() -> None:
    """Make the table; every projection is whole until a worker divides it."""
    op.execute(text("ALTER TABLE projection_checkpoints ADD COLUMN shares integer NOT NULL DEFAULT 0"))
    op.execute(text(_SHARES))
    role = context.config.attributes.get("service_role")
    query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if role and op.get_bind().execute(query, {"role": role}).scalar():
        op.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON projection_shares TO {role}"))


def downgrade() -> None:
    """An earlier release knows no shares and folds such projections again from the start (version 0 is nobody's)."""
    op.execute(text("UPDATE projection_checkpoints SET version = 0, position = 0 WHERE shares > 0"))
    op.execute(text("DROP TABLE projection_shares"))
    op.execute(text("ALTER TABLE projection_checkpoints DROP COLUMN shares"))
