"""The tables that Alembic owns, as SQLAlchemy sees them: log, companions, access, checkpoints, releases."""

from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    and_,
    case,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

log_events = Table(
    "log_events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("stream_version", BigInteger),
    Column("type", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
log_identity = Table(
    "log_identity",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
log_streams = Table(
    "log_streams",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
log_cursors = Table(
    "log_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)
log_about = Table(
    "log_about",
    metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("log_id", Uuid(as_uuid=False), nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)
log_leaves = Table(
    "log_leaves",
    metadata,
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
log_nodes = Table(
    "log_nodes",
    metadata,
    Column("tree", Text, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)
log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
)
log_feed_checkpoints = Table(
    "log_feed_checkpoints",
    metadata,
    Column("party", Text, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("log_size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("source", Text),
    Column("principal", Text),
    Column("event", LargeBinary, nullable=False),
    Column("problem", JSONB, nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
)
ingress_rejections = Table(
    "ingress_rejections",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSONB, nullable=False),
    Column("problem", JSONB, nullable=False),
    Column("quarantine_id", Text, nullable=False),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("answer", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
projection_checkpoints = Table(
    "projection_checkpoints",
    metadata,
    Column("name", Text, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("shares", Integer, nullable=False, server_default="0"),
)
projection_shares = Table(
    "projection_shares",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("share", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("next_offset", BigInteger),
    Column("sequence", BigInteger),
)
parked_events = Table(
    "parked_events",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("error", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False),
)
event_types = Table(
    "event_types",
    metadata,
    Column("type", Text, primary_key=True),
    Column("release", Text, nullable=False),
    Column("first_seen", DateTime(timezone=True), nullable=False),
)
process_reports = Table(
    "process_reports",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
)
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("token_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("party", Text),
    Column("source_prefix", Text),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)
access_links = Table(
    "access_links",
    metadata,
    Column("link_hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("party", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
)
access_sessions = Table(
    "access_sessions",
    metadata,
    Column("session_hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("party", Text),
    Column("csrf", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)


BULK = ("lodestone.motors.", "lodestone.tests.")
"""How the types begin that nearly all events have: the index of types leaves them out (migration 0008)."""


def of_types(types: Iterable[str]) -> ColumnElement[bool]:
    """The events of these types, by their index; bulk ones are not in it, and are found by position or stream."""
    wanted = sorted(types)
    chosen = log_events.c.type.in_(wanted)
    if any(one.startswith(BULK) for one in wanted):
        return chosen
    return and_(chosen, *[text(f"log_events.type NOT LIKE '{start}%'") for start in BULK])


def identity_key(source: str, id: str) -> UUID:
    """The key of an event in `log_identity`: the first 16 bytes of SHA-256(source, 0x00, id)."""
    return UUID(bytes=sha256(f"{source}\0{id}".encode()).digest()[:16])


def reached() -> ColumnElement[int]:
    """How far a checkpoint's generation is folded: where it is divided, as far as the last of its shares."""
    whole, share = projection_checkpoints.c, projection_shares.c
    mine = (share.projection == whole.name) & (share.generation == whole.generation)
    last = select(func.min(share.position)).where(mine).correlate(projection_checkpoints).scalar_subquery()
    return case((whole.shares == 0, whole.position), else_=last).label("position")
