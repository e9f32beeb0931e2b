"""What the sealing of the log stands on: the log's own name, its hash tree, and its signed checkpoints."""

from alembic import context, op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE log_about (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id uuid NOT NULL, made_at timestamptz NOT NULL
);
INSERT INTO log_about (log_id, made_at) VALUES (gen_random_uuid(), now());
CREATE TABLE log_leaves (
    start bigint PRIMARY KEY, hashes bytea NOT NULL CHECK (octet_length(hashes) % 32 = 0)
);
ALTER TABLE log_leaves ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE TABLE log_nodes (
    tree text NOT NULL, level smallint NOT NULL, index bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tree, level, index)
);
CREATE TABLE log_checkpoints (
    epoch integer NOT NULL, size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL, signed_at timestamptz NOT NULL,
    PRIMARY KEY (epoch, size)
);
CREATE TABLE log_feed_checkpoints (
    party text NOT NULL, size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    log_size bigint NOT NULL, note text NOT NULL, signed_at timestamptz NOT NULL,
    PRIMARY KEY (party, size, log_size)
);
"""
"""The log's own tree (tree '') keeps in `log_leaves` the leaf hashes of each round in one run, from leaf `start` on
(hashes do not compress, so nobody tries), and in `log_nodes` every complete subtree of level 8 and above: a proof reads
O(log n) rows. The trees of feeds are hashed from the leaves when they are asked for (9 ms for 1 000 entries), and only
their signed heads are kept. All of it is written once; when a log is recovered on another epoch, what no longer agrees
with it is taken away by the owner of the tables, who alone can switch the triggers off."""

APPEND_ONLY = ("log_about", "log_leaves", "log_nodes", "log_checkpoints", "log_feed_checkpoints")


def upgrade() -> None:
    """Make the tables, refuse changes to them, and grant the service role what it needs and no more."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(text(statement))
    for table in APPEND_ONLY:
        _refuse(table)
    _grant(context.config.attributes.get("service_role"))


def _refuse(table: str) -> None:
    op.execute(
        text(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    )
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


def downgrade() -> None:
    """Refused: the seals of a log are not taken away by a migration."""
    raise RuntimeError("this migration seals the log; going back would remove its proofs")
