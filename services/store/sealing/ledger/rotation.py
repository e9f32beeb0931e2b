"""The public keys with the sizes for which they hold, and the change from one key to the next."""

import base64
from pathlib import Path
from typing import Any

from events.envelope import utc_text
from events.errors import Refused
from events.receive import Origin
from services.store.database import Database
from services.store.log import Append, Log
from services.store.sealing.keys import Keys
from services.store.sealing.ledger.anchors import key_draft
from services.store.sealing.ledger.reading import SOURCE, KeyInForce, ledger_of


def keys_in_force(database: Database, data_dir: Path | None) -> list[KeyInForce]:
    """The keys that the log introduced; before it introduced any, the one that is in the data folder, if one is."""
    with database.connect() as connection:
        ledger = ledger_of(connection)
    if ledger.keys or data_dir is None:
        return ledger.keys
    waiting = next(Keys(data_dir, ledger.log_id).every(), None)
    return [] if waiting is None else [KeyInForce(waiting.verifier, 0)]


def known_keys(database: Database, data_dir: Path | None) -> list[dict[str, Any]]:
    """The public keys as they are told to others, oldest first."""
    return [
        {
            "name": key.verifier.name,
            "verifier_key": str(key.verifier),
            "public_key": base64.b64encode(key.verifier.public).decode(),
            "algorithm": "Ed25519",
            "from_size": key.from_size,
            "until_size": key.until_size,
        }
        for key in keys_in_force(database, data_dir)
    ]


def rotate(log: Log, data_dir: Path) -> tuple[int, str]:
    """Introduce the next key, signed for by the one before; the event's position, and the new verifier key.

    A checkpoint that covers this event is signed by the new key, one that does not by the old one. Raises Refused when
    the old key is not here, IdentityConflict when two rotate at once.
    """
    with log.database.connect() as connection:
        ledger = ledger_of(connection)
    keys, origin = Keys(data_dir, ledger.log_id), Origin(SOURCE, utc_text(log.clock()))
    drafts = []
    if ledger.keys:
        before = keys.find(str(ledger.keys[-1].verifier))
    else:
        before = keys.first()
        drafts.append(key_draft(ledger, before, None, origin))
        ledger.keys.append(KeyInForce(before.verifier, 0))
    after = keys.following(str(before.verifier))
    drafts.append(key_draft(ledger, after, before, origin))
    position = log.append(Append(tuple(drafts)))[-1].position
    if position is None:
        raise Refused("The key was not introduced; try again.")
    return position, str(after.verifier)
