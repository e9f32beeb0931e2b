"""What the owner of a database could do to the log and try to hide: triggers off, hashes and companion rows mended.

Every way ends with a log that looks right by itself: dense, hashed, registered. Only what was sealed can tell.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg

from events.canonical import content_hash
from events.envelope import SERVICE_ATTRIBUTES
from services.store.sealing.keys import Keys
from services.store.sealing.ledger.anchors import CHECKPOINT
from services.store.sealing.notes import checkpoint_text, origin_of, sign_note
from services.store.sealing.tree import HASH, Growing
from services.store.tables import identity_key

TABLES = ("log_events", "log_identity", "log_streams", "log_checkpoints", "log_leaves", "log_nodes")
Cursor = psycopg.Cursor[Any]


def tamper(url: str, how: str, position: int, data_dir: Path | None = None) -> str:
    """Tamper as the owner of the database at `url`; returns a sentence on what was done."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        head = one(cursor, "SELECT coalesce(max(position), 0) FROM log_events")
        if not 0 < position <= head:
            raise SystemExit(f"The log has no position {position}; it ends at {head}.")
        said = resign(cursor, position, data_dir) if how == "resign" else WAYS[how](cursor, position)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return said


def byte(cursor: Cursor, position: int) -> str:
    """One byte of the stored event becomes another, and the event is still one."""
    body = body_at(cursor, position)
    changed, at = other_byte(body)
    put_body(cursor, position, changed)
    return f"Byte {at} of position {position} was {body[at : at + 1]!r} and is {changed[at : at + 1]!r}."


def remove(cursor: Cursor, position: int) -> str:
    """The row is gone."""
    delete(cursor, position)
    return f"Position {position} is gone."


def renumber(cursor: Cursor, position: int) -> str:
    """The row is gone and those after it have moved up, versions included, so that no hole shows."""
    stream, version = row(cursor, position)
    delete(cursor, position)
    for table in ("log_events", "log_identity", "log_streams"):
        # Twice, because a key must be unique after each row: out of the way, then to the new place.
        cursor.execute(f"UPDATE {table} SET position = -position WHERE position > %s", (position,))
        cursor.execute(f"UPDATE {table} SET position = -position - 1 WHERE position < 0")
    if version is not None:
        query = "SELECT position, stream_version FROM log_events WHERE stream = %s AND stream_version > %s"
        later = cursor.execute(f"{query} ORDER BY position", (stream, version)).fetchall()
        for at, old in later:
            event = orjson.loads(body_at(cursor, at))
            event["streamversion"] = str(old - 1)
            cursor.execute("UPDATE log_events SET stream_version = %s WHERE position = %s", (old - 1, at))
            cursor.execute(
                "UPDATE log_streams SET version = %s WHERE stream = %s AND version = %s", (old - 1, stream, old)
            )
            put_body(cursor, at, orjson.dumps(event))
    return f"Position {position} is gone, and every later event has moved up by one."


def swap(cursor: Cursor, position: int) -> str:
    """The row and the next one have changed places."""
    for table in ("log_events", "log_identity", "log_streams"):
        for old, new in ((position, -1), (position + 1, position), (-1, position + 1)):
            cursor.execute(f"UPDATE {table} SET position = %s WHERE position = %s", (new, old))
    return f"Positions {position} and {position + 1} have changed places."


def cut(cursor: Cursor, position: int) -> str:
    """The row and all after it are gone, and so is everything in the database that was sealed over them."""
    for table in ("log_events", "log_identity", "log_streams"):
        cursor.execute(f"DELETE FROM {table} WHERE position >= %s", (position,))
    size = position - 1
    cursor.execute("DELETE FROM log_checkpoints WHERE size > %s", (size,))
    cursor.execute("DELETE FROM log_nodes WHERE tree = '' AND (index + 1) << level::int > %s", (size,))
    cursor.execute("DELETE FROM log_leaves WHERE start >= %s", (size,))
    cursor.execute(
        "UPDATE log_leaves SET hashes = substring(hashes FOR CAST(%s - start AS int) * 32) "
        "WHERE start + octet_length(hashes) / 32 > %s",
        (size, size),
    )
    return f"The log ends at position {size}."


WAYS: dict[str, Callable[[Cursor, int], str]] = {
    "byte": byte, "remove": remove, "swap": swap, "renumber": renumber, "cut": cut,
}  # fmt: skip


@dataclass(slots=True)
class Rewriting:
    """A history written again, with the roots that it has at the sizes that were signed."""

    growing: Growing
    roots: dict[int, bytes]
    leaves: bytearray
    nodes: list[tuple[int, int, bytes]]


def resign(cursor: Cursor, position: int, data_dir: Path | None) -> str:
    """A byte is changed, the whole tree is mended, and every checkpoint over it is signed again with a stolen key:
    the first one of the log, which has been rotated out.
    """
    log = str(one(cursor, "SELECT log_id FROM log_about"))
    if data_dir is None or one(cursor, "SELECT count(*) FROM log_events WHERE type LIKE '%%key_introduced%%'") < 2:
        raise SystemExit("There is no old key to sign with: `lodestone keys rotate` first.")
    key = next(Keys(data_dir, log).every())
    byte(cursor, position)
    kept = cursor.execute("SELECT epoch, size FROM log_checkpoints ORDER BY size").fetchall()
    done = Rewriting(Growing(), {}, bytearray(), [])
    signed = {size for _, size in kept}
    rows = cursor.execute("SELECT position, type, body FROM log_events ORDER BY position").fetchall()
    for at, kind, body in rows:
        data = orjson.loads(body)["data"]
        if kind == CHECKPOINT and data["size"] >= position:
            root = done.roots[data["size"]]
            note = sign_note(checkpoint_text(origin_of(log, data["epoch"]), data["size"], root), key)
            body = rewritten(body, root, note)
            put_body(cursor, at, body)
        leaf = hashlib.sha256(b"\x00" + bytes(body)).digest()
        done.leaves += leaf
        done.nodes += done.growing.add(leaf)
        if at in signed:
            done.roots[at] = done.growing.root()
    mend_seals(cursor, done, position)
    for epoch, size in kept:
        if size >= position:
            note = sign_note(checkpoint_text(origin_of(log, epoch), size, done.roots[size]), key)
            cursor.execute(
                "UPDATE log_checkpoints SET root = %s, note = %s WHERE epoch = %s AND size = %s",
                (done.roots[size], note, epoch, size),
            )
    return f"A byte of position {position} is another, and all checkpoints over it are signed with an old key."


def mend_seals(cursor: Cursor, done: Rewriting, position: int) -> None:
    """Sealed leaves and stored nodes as those of the rewritten history."""
    for start, count in cursor.execute("SELECT start, octet_length(hashes) FROM log_leaves").fetchall():
        part = bytes(done.leaves[start * HASH : start * HASH + count])
        cursor.execute("UPDATE log_leaves SET hashes = %s WHERE start = %s", (part, start))
    for level, index, digest in done.nodes:
        cursor.execute(
            "UPDATE log_nodes SET hash = %s WHERE tree = '' AND level = %s AND index = %s", (digest, level, index)
        )


def rewritten(body: bytes, root: bytes, note: str) -> bytes:
    """The anchor with another root and note."""
    event = orjson.loads(body)
    event["data"] |= {"root": base64.b64encode(root).decode(), "note": note}
    return orjson.dumps(event)


def one(cursor: Cursor, query: str, *values: object) -> Any:
    found = cursor.execute(query, values or None).fetchone()
    return None if found is None else found[0]


def row(cursor: Cursor, position: int) -> tuple[str, int | None]:
    found = cursor.execute("SELECT stream, stream_version FROM log_events WHERE position = %s", (position,)).fetchone()
    assert found is not None
    return found[0], found[1]


def body_at(cursor: Cursor, position: int) -> bytes:
    return bytes(one(cursor, "SELECT body FROM log_events WHERE position = %s", position))


def delete(cursor: Cursor, position: int) -> None:
    for table in ("log_events", "log_identity", "log_streams"):
        cursor.execute(f"DELETE FROM {table} WHERE position = %s", (position,))


def put_body(cursor: Cursor, position: int, body: bytes) -> None:
    """Other bytes, with the hashes and the identity that they have."""
    event = orjson.loads(body)
    received = {name: value for name, value in event.items() if name not in SERVICE_ATTRIBUTES}
    content, leaf = content_hash(received), hashlib.sha256(b"\x00" + body).digest()
    cursor.execute(
        "UPDATE log_events SET body = %s, leaf_hash = %s, content_hash = %s WHERE position = %s",
        (body, leaf, content, position),
    )
    key = identity_key(event["source"], event["id"])
    cursor.execute("UPDATE log_identity SET key = %s WHERE position = %s", (key, position))


def other_byte(body: bytes) -> tuple[bytes, int]:
    """The body with one digit or letter in its data changed, so that it still reads as an event of the same kind."""
    before = orjson.loads(body)
    start = body.index(b'"data":')
    for at in range(len(body) - 1, start, -1):
        for new in b"17x":
            changed = body[:at] + bytes([new]) + body[at + 1 :]
            if body[at] != new and body[at : at + 1].isalnum() and _same_shape(before, changed):
                return changed, at
    raise SystemExit("No byte of this event can be changed so that it still reads as one.")


def _same_shape(before: dict[str, Any], changed: bytes) -> bool:
    try:
        after = orjson.loads(changed)
    except orjson.JSONDecodeError:
        return False
    rest = [{name: value for name, value in event.items() if name != "data"} for event in (before, after)]
    return bool(rest[0] == rest[1] and before["data"].keys() == after["data"].keys())
