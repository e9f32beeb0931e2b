"""The log, append-only and partitioned by position, with its companion tables."""

from alembic import context, op
from sqlalchemy import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITION = 10_000_000
PARTITIONS = 32
"""320 million positions ahead; what comes after goes to the default partition, so an append never waits for one."""

TABLES = """
CREATE TABLE log_events (
    position bigint NOT NULL PRIMARY KEY,
    stream text NOT NULL,
    stream_version bigint,
    type text NOT NULL,
    recorded_at timestamptz NOT NULL,
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    body bytea NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX log_events_stream ON log_events (stream, position);
CREATE INDEX log_events_type ON log_events (type, position);
CREATE TABLE log_events_rest PARTITION OF log_events DEFAULT;
CREATE TABLE log_identity (
    source text NOT NULL, id text NOT NULL, position bigint NOT NULL, content_hash bytea NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE TABLE log_streams (
    stream text NOT NULL, version bigint NOT NULL, position bigint NOT NULL, PRIMARY KEY (stream, version)
);
CREATE TABLE quarantine (
    id text PRIMARY KEY, received_at timestamptz NOT NULL, source text, principal text,
    event bytea NOT NULL, problem jsonb NOT NULL, resolved_at timestamptz
);
CREATE INDEX quarantine_open ON quarantine (received_at) WHERE resolved_at IS NULL;
CREATE TABLE idempotency (
    principal text NOT NULL, key text NOT NULL, request_hash bytea NOT NULL,
    status integer, answer bytea, created_at timestamptz NOT NULL, PRIMARY KEY (principal, key)
);
CREATE TABLE leases (
    name text PRIMARY KEY, owner text NOT NULL, epoch bigint NOT NULL, expires_at timestamptz NOT NULL
);
CREATE TABLE projection_checkpoints (
    name text NOT NULL, generation bigint NOT NULL, version integer NOT NULL, position bigint NOT NULL,
    live boolean NOT NULL, PRIMARY KEY (name, generation)
);
CREATE UNIQUE INDEX projection_checkpoints_live ON projection_checkpoints (name) WHERE live;
CREATE TABLE parked_events (
    projection text NOT NULL, position bigint NOT NULL, error text NOT NULL, parked_at timestamptz NOT NULL,
    PRIMARY KEY (projection, position)
);
CREATE TABLE access_tokens (
    token_hash text PRIMARY KEY, token_id text NOT NULL UNIQUE, name text NOT NULL, role text NOT NULL, party text,
    source_prefix text, issued_at timestamptz NOT NULL, revoked_at timestamptz
);
CREATE TABLE access_links (
    link_hash text PRIMARY KEY, name text NOT NULL, role text NOT NULL, party text,
    expires_at timestamptz NOT NULL, used_at timestamptz
);
CREATE TABLE access_sessions (
    session_hash text PRIMARY KEY, name text NOT NULL, role text NOT NULL, party text, csrf text NOT NULL,
    created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL
);
CREATE SCHEMA projections;
"""

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

APPEND_ONLY = ("log_events", "log_identity", "log_streams")
CHANGEABLE = (
    "quarantine", "idempotency", "leases", "projection_checkpoints", "parked_events",
    "access_tokens", "access_links", "access_sessions",
)  # fmt: skip


def upgrade() -> None:
    """Make everything; grant the service role what it needs and no more."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(text(statement))
    for number in range(PARTITIONS):
        low, high = number * PARTITION, (number + 1) * PARTITION
        op.execute(
            text(f"CREATE TABLE log_events_{number:03d} PARTITION OF log_events FOR VALUES FROM ({low}) TO ({high})")
        )
    op.execute(text(REFUSE))
    for table in APPEND_ONLY:
        _refuse(table)
    for number in range(PARTITIONS):
        _refuse_truncate(f"log_events_{number:03d}")
    _refuse_truncate("log_events_rest")
    _grant(context.config.attributes.get("service_role"))


def _refuse(table: str) -> None:
    op.execute(
        text(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    )
    _refuse_truncate(table)


def _refuse_truncate(table: str) -> None:
    # PostgreSQL knows TRUNCATE triggers on partitions and plain tables, and on the partitioned parent too.
    op.execute(
        text(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    )


def _grant(role: str | None) -> None:
    exists = (
        role and op.get_bind().execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar()
    )
    if not exists:
        return
    for table in APPEND_ONLY:
        op.execute(text(f"GRANT SELECT, INSERT ON {table} TO {role}"))
    for table in CHANGEABLE:
        op.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}"))
    op.execute(text(f"GRANT SELECT ON alembic_version TO {role}"))
    op.execute(text(f"GRANT USAGE, CREATE ON SCHEMA projections TO {role}"))


def downgrade() -> None:
    """Refused: a log is not taken away by a migration."""
    raise RuntimeError("the first migration makes the log; going back would remove it")
