"""Ids of what the service concludes: UUIDv5 of (cause, kind, key); an id that exists means already concluded."""

import json
from uuid import NAMESPACE_URL, UUID, uuid5

from events.facts.base import EventRef
from events.refs import Ref

NAMESPACE = uuid5(NAMESPACE_URL, "urn:lodestone:conclusion")


def conclusion_id(cause: str, kind: str, key: str) -> UUID:
    """The id of the conclusion of this kind about `key` that follows from `cause` (RFC 9562, version 5).

    The three parts are written as one JSON array, so that no two different triples share a text.
    """
    return uuid5(NAMESPACE, json.dumps([cause, kind, key], ensure_ascii=False, separators=(",", ":")))


def case_id(requirement: Ref, item: Ref | None, suppliers: tuple[Ref, ...] = ()) -> str:
    """The id of the case of (requirement, magnet item, supplier scope); the scope is a set."""
    scope = ",".join(sorted({str(supplier) for supplier in suppliers}))
    return str(conclusion_id(str(requirement), "case", f"{item or ''}|{scope}"))


def source_change_case_id(change: EventRef) -> str:
    """The id of the case that a SourceChanged event opens."""
    return str(conclusion_id(f"{change.source}#{change.id}", "case", "source_change"))
