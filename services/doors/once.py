"""Idempotency-Key on POST: a call that was answered is not made again, its answer is given again.

Our rules (the draft of the IETF has lapsed): the key is a string, quoted or not, of 1 to 255 visible characters, and
belongs to who sends it. The same key with another request is 422; while the first call still runs, 409; afterwards the
stored answer, with `Idempotency-Replayed: true`. Only answers below 300 are kept, for 24 hours at least.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from events.errors import Invalid, Refused
from services.access.scopes import caller
from services.doors.answers import Json
from services.doors.context import Here
from services.store.tables import idempotency

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=2)
"""A call that has not ended after this long died with its process; the next one may make it again."""
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
_HEADERS = ("lodestone-position", "etag", "location")


def once(here: Here, call: Callable[[], Json]) -> Json:
    """Make the call, or give the answer it had. Raises Invalid or Refused by the rules above."""
    key = _key(here.request.headers.get("idempotency-key"))
    if key is None:
        return call()
    asked = hashlib.sha256(f"{here.request.method} {here.request.url.path}?{here.request.url.query}\n".encode())
    asked.update(here.request.headers.get("if-match", "").encode() + b"\n" + here.body)
    request_hash = asked.digest()
    if not _begin(here, key, request_hash):
        return _again(here, key, request_hash)
    kept = False
    try:
        answer = call()
        kept = answer.status_code < 300
        if kept:
            _finish(here, key, answer)
        return answer
    finally:
        if not kept:
            _forget(here, key)


def _key(header: str | None) -> str | None:
    if header is None:
        return None
    text = header.strip()
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not _KEY.match(text):
        raise Invalid("The Idempotency-Key is 1 to 255 visible ASCII characters, best a quoted UUID.")
    return text


def _begin(here: Here, key: str, request_hash: bytes) -> bool:
    """Whether this call is the first; then its row stands."""
    now = here.runtime.clock()
    row = {"principal": caller(here.principal), "key": key, "request_hash": request_hash, "created_at": now}
    old = delete(idempotency).where(idempotency.c.created_at < now - KEPT)
    dead = delete(idempotency).where(idempotency.c.status.is_(None), idempotency.c.created_at < now - ABANDONED)
    with here.runtime.database.begin() as connection:
        connection.execute(old)
        connection.execute(dead)
        first = insert(idempotency).values(**row).on_conflict_do_nothing().returning(idempotency.c.key)
        return connection.execute(first).first() is not None


def _again(here: Here, key: str, request_hash: bytes) -> Json:
    query = select(idempotency).where(idempotency.c.principal == caller(here.principal), idempotency.c.key == key)
    with here.runtime.database.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is not None and bytes(row.request_hash) != request_hash:
        raise Invalid("This Idempotency-Key was used for another request; take a new key for a new request.")
    if row is None or row.status is None:
        raise Refused("The first call with this Idempotency-Key still runs; ask again in a moment.")
    kept = orjson.loads(row.answer)
    return Json(kept["body"].encode(), row.status, {**kept["headers"], "Idempotency-Replayed": "true"})


def _finish(here: Here, key: str, answer: Json) -> None:
    headers = {name: value for name, value in answer.headers.items() if name in _HEADERS}
    kept = orjson.dumps({"headers": headers, "body": bytes(answer.body).decode()})
    mine = (idempotency.c.principal == caller(here.principal), idempotency.c.key == key)
    with here.runtime.database.begin() as connection:
        connection.execute(update(idempotency).where(*mine).values(status=answer.status_code, answer=kept))


def _forget(here: Here, key: str) -> None:
    mine = (idempotency.c.principal == caller(here.principal), idempotency.c.key == key, idempotency.c.status.is_(None))
    with here.runtime.database.begin() as connection:
        connection.execute(delete(idempotency).where(*mine))
