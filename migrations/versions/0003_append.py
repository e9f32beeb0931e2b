"""Appending at speed: the identity table has a short binary key, and text is compared byte by byte."""

from alembic import context, op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IDENTITY = """
ALTER TABLE log_identity RENAME TO log_identity_by_text;
ALTER INDEX log_identity_pkey RENAME TO log_identity_by_text_pkey;
CREATE TABLE log_identity (key uuid NOT NULL, position bigint NOT NULL);
INSERT INTO log_identity (key, position)
    SELECT encode(substring(
        sha256(convert_to(source, 'UTF8') || '\\x00'::bytea || convert_to(id, 'UTF8')) FOR 16), 'hex')::uuid, position
    FROM log_identity_by_text;
ALTER TABLE log_identity ADD PRIMARY KEY (key);
DROP TABLE log_identity_by_text
"""
"""The key is the first 16 bytes of SHA-256(source, 0x00, id). The content hash stays where the event is."""

BYTEWISE = """
ALTER TABLE log_events ALTER COLUMN stream TYPE text COLLATE "C", ALTER COLUMN type TYPE text COLLATE "C";
ALTER TABLE log_streams ALTER COLUMN stream TYPE text COLLATE "C"
"""
"""An index of texts in a language's order costs an append more, and nobody reads streams in a language's order."""


def upgrade() -> None:
    """Make the table anew with the rows there are, append-only as before."""
    for statement in f"{IDENTITY};{BYTEWISE}".split(";"):
        op.execute(text(statement.replace(":", "\\:")))
    for name, when in (("append_only", "UPDATE OR DELETE"), ("no_truncate", "TRUNCATE")):
        each = "ROW" if name == "append_only" else "STATEMENT"
        op.execute(
            text(
                f"CREATE TRIGGER log_identity_{name} BEFORE {when} ON log_identity "
                f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
        )
    role = context.config.attributes.get("service_role")
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if role and op.get_bind().execute(known, {"role": role}).scalar():
        op.execute(text(f"GRANT SELECT, INSERT ON log_identity TO {role}"))


def downgrade() -> None:
    """Refused: the texts of the identities are in the events only."""
    raise RuntimeError("the identities were made short; going back would have to read every event again")
