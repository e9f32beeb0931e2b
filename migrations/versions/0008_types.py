"""Appending at speed: the index of types leaves out those that nearly all events have."""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RARE = "type NOT LIKE 'lodestone.motors.%' AND type NOT LIKE 'lodestone.tests.%'"
"""Who reads motors and their results reads the whole log, by position: an index of those types costs every append a
sixth of what the server does for it, and is never looked into. The conditions are those of `tables.of_types`."""


def upgrade() -> None:
    """Make the index anew over what is rare: one walk through the rows there are, and little to sort."""
    op.execute(text("DROP INDEX log_events_type"))
    op.execute(text(f"CREATE INDEX log_events_type ON log_events (type, position) WHERE {RARE}"))


def downgrade() -> None:
    """Make it over all types again, as an earlier release expects it."""
    op.execute(text("DROP INDEX log_events_type"))
    op.execute(text("CREATE INDEX log_events_type ON log_events (type, position)"))
