"""Messages: each is read and checked as a posted event is, and what is refused is made ready to be kept and told."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from events.envelope import Draft
from events.errors import DomainError, TooLarge
from events.rules.access import Principal
from services.access.scopes import scope
from services.exchange.cloudevents import read_json
from services.exchange.ingest import check
from services.exchange.problems import problem
from services.exchange.quarantine import Quarantine, storable
from services.store.log import Companion
from services.transports.kafka.binding import read, value_alone
from services.transports.kafka.ingress.principals import TOKEN, Principals

LARGEST = 1_000_000
"""Bytes of the largest message that is taken in: as much as a topic takes unless it is told otherwise."""
KEPT = 400_000
"""Bytes of a refused message that are kept and published again, so that the copy fits with what is added to it."""
TRUNCATED = "lodestone-truncated"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not taken in; `event` is what could be read of it, `whose` the scope that may see it."""

    problem: Mapping[str, Any]
    event: object
    whose: str


class Checked(NamedTuple):
    """A message with the draft to append, or with its refusal. `record` is as the client hands it over."""

    record: Any
    draft: Draft | None
    refusal: Refusal | None = None
    whose: str = ""


class _Sender(NamedTuple):
    """What a message's topic and headers say: who published it, or why nobody is taken for it, and how to read it.

    `whose` it is if it is refused; `plain`: the value alone is the event.
    """

    principal: Principal | DomainError
    whose: str
    plain: bool


def checked(records: Iterable[Any], principals: Principals) -> list[Checked]:
    """These messages, each checked by itself. Raises Unavailable when tokens cannot be looked up."""
    known: dict[tuple[Any, ...], _Sender] = {}
    found = []
    for record in records:
        # Most of a batch come from a few benches, with the same headers each time: they are read once.
        shown = (record.topic, *record.headers)
        sender = known.get(shown)
        if sender is None:
            sender = known[shown] = _sender(record, principals)
        found.append(_one(record, sender))
    return found


def _sender(record: Any, principals: Principals) -> _Sender:
    principal = principals.of(record.topic, record.headers)
    whose = scope(principal) if isinstance(principal, Principal) else f"kafka {record.topic}"
    plain = False
    with suppress(DomainError):  # reading the message says what is wrong with its headers
        plain = value_alone(record.headers)
    return _Sender(principal, whose, plain)


def _one(record: Any, sender: _Sender) -> Checked:
    event: object = None
    principal, whose, plain = sender
    value = record.value
    try:
        if value is not None and len(value) > LARGEST:
            raise _too_large(len(value))
        event = read_json(value) if plain and value is not None else read(record.headers, value)
        if isinstance(principal, DomainError):
            raise principal
        found = check(event, principal)
        if isinstance(found, DomainError):
            raise found
    except DomainError as error:
        return Checked(record, None, refused(record, error, event, whose), whose)
    return Checked(record, found.draft, None, whose)


def _too_large(size: int) -> TooLarge:
    return TooLarge(
        f"The message has {size} bytes, and at most {LARGEST} are taken in: keep waveforms elsewhere and name them "
        "in `dataref`.",
        limit_bytes=LARGEST,
    )


def refused(record: Any, error: DomainError, event: object, whose: str) -> Refusal:
    """The refusal of this message; what was no JSON object is kept as the bytes that came."""
    told = event if isinstance(event, Mapping) else (record.value or b"")[:KEPT]
    return Refusal(problem(error), told, whose)


def companions(item: Checked, quarantine: Quarantine) -> tuple[Companion, Companion]:
    """The rows that keep a refused message: in quarantine, and until it is told, for the topic of rejections."""
    assert item.refusal is not None
    kept = quarantine.row(item.refusal.event, item.refusal.problem, item.refusal.whose)
    record = item.record
    value, headers = record.value, [pair for pair in record.headers if pair[0].lower() != TOKEN]
    size = len(record.key or b"") + sum(len(name) + len(text or b"") for name, text in headers)
    key = record.key
    if len(value or b"") + size > KEPT:
        headers, key = ([], None) if size > KEPT // 2 else (headers, key)
        headers = [*headers, (TRUNCATED, str(len(value or b"")).encode())]
        value = (value or b"")[: KEPT // 2]
    row = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": key,
        "value": value,
        "headers": [[storable(name), None if text is None else b64encode(text).decode()] for name, text in headers],
        "problem": kept["problem"],
        "quarantine_id": kept["id"],
    }
    return Companion("quarantine", kept), Companion("ingress_rejections", row)
