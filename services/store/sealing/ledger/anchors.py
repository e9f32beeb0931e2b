"""Anchors: the ledger events by which the log carries its own keys and seals; written again they are duplicates."""

import base64

import orjson
from sqlalchemy import Connection, select

from events.catalogue import LEDGER, type_of
from events.envelope import Draft, utc_text
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.rules.ledger import CheckpointSigned, KeyIntroduced
from services.store.sealing.checkpoints import Signed
from services.store.sealing.ledger.reading import SOURCE, Ledger
from services.store.sealing.notes import SigningKey, key_name, sign_note
from services.store.tables import log_events, of_types

CHECKPOINT = type_of(CheckpointSigned)
LEDGERS = f"lodestone.{LEDGER}."


def anchored_size(connection: Connection) -> int:
    """The size of the newest checkpoint that the log itself carries; 0 before the first."""
    table = log_events
    query = select(table.c.body).where(of_types([CHECKPOINT])).order_by(table.c.position.desc()).limit(1)
    body = connection.execute(query).scalar()
    return 0 if body is None else int(orjson.loads(bytes(body))["data"]["size"])


def unanchored(connection: Connection) -> bool:
    """Whether the log holds anything but seals after the newest checkpoint that it carries."""
    table = log_events
    news = select(table.c.position).where(table.c.position > anchored_size(connection))
    news = news.where(table.c.type.not_like(f"{LEDGERS}%")).order_by(table.c.position).limit(1)
    return connection.execute(news).first() is not None


def anchor_drafts(ledger: Ledger, signed: Signed, key: SigningKey) -> list[Draft]:
    """The checkpoint as an event, and before the first one the key that signed it."""
    origin = Origin(SOURCE, utc_text(signed.signed_at))
    drafts = [] if ledger.keys else [key_draft(ledger, key, None, origin)]
    model = CheckpointSigned(
        log=ledger.log_id,
        epoch=signed.epoch,
        size=signed.size,
        root=base64.b64encode(signed.root).decode(),
        note=signed.note,
    )
    what = f"{signed.epoch}/{signed.size}"
    return [*drafts, draft(model, id=conclusion_id(ledger.log_id, "checkpoint_signed", what), origin=origin)]


def key_draft(ledger: Ledger, key: SigningKey, before: SigningKey | None, origin: Origin) -> Draft:
    """The event that introduces a key, with the statement that the key before signs too."""
    lines = [key_name(ledger.log_id), f"key {key.verifier}", *([f"retires {before.verifier}"] if before else [])]
    model = KeyIntroduced(
        log=ledger.log_id,
        verifier_key=str(key.verifier),
        retires=str(before.verifier) if before else None,
        statement=sign_note("".join(f"{line}\n" for line in lines), *([before] if before else []), key),
    )
    number = str(len(ledger.keys) + 1)
    return draft(model, id=conclusion_id(ledger.log_id, "key_introduced", number), origin=origin)
