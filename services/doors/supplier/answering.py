"""A supplier's answer to a notice: read what the party was told, append what it says."""

from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from pydantic import AwareDatetime, ValidationError

from events.canonical import canonical
from events.catalogue import type_of
from events.envelope import Recorded, utc_text
from events.errors import IdentityConflict, NotFound, VersionConflict
from events.facts.base import Text
from events.receive import Origin, draft
from events.refs import Name, Ref
from events.rules.notices import NoticeAnswered, NoticeIssued, decide, fold
from events.vocabulary.keys import CharacteristicKey
from events.vocabulary.quantities import Plain, Range
from services import tracing
from services.doors.answers import stored
from services.doors.context import Here
from services.doors.supplier.feed import stream_of
from services.exchange.problems import invalid_input
from services.store.log import Append

TRIES = 3


class AnswerBody(Plain):
    """The answer of a named person; which further fields it needs depends on the answer."""

    answer: str
    person: Name
    from_date: date | None = None
    from_lot: Ref | None = None
    until: AwareDatetime | None = None
    value: Range | None = None
    characteristic: CharacteristicKey | None = None
    reason: Text | None = None


def answer_notice(here: Here, party: Ref, notice: str, body: AnswerBody) -> tuple[int, Any]:
    """Append the answer: its position and the stored event. The same answer again is the one that stands.

    Raises NotFound for a notice that this party was not sent, Invalid for an incomplete answer, Refused for going back
    from an answer to a lesser one.
    """
    for _ in range(TRIES):
        try:
            return _answer(here, party, notice, body)
        except (IdentityConflict, VersionConflict):
            continue  # another entry came into the feed in between: look again
    return _answer(here, party, notice, body)


def _answer(here: Here, party: Ref, notice: str, body: AnswerBody) -> tuple[int, Any]:
    log = here.runtime.log
    told = log.read_stream(stream_of(party))
    notified = issued(told, notice)
    model = _model(notice, party, body)
    content = model.model_dump(mode="json")
    before = [event for event in told if event.type == type_of(NoticeAnswered) and event.data["notice"] == notice]
    if before and canonical(before[-1].data) == canonical(content):
        return before[-1].position, stored(log.body(before[-1].position))
    decide(fold(told), model, here.principal)
    identity = uuid5(NAMESPACE_URL, f"{stream_of(party)}\n{notice}\n{len(before)}\n{canonical(content).decode()}")
    origin = Origin(
        source=f"/parties/{party}",
        time=utc_text(here.runtime.clock()),
        correlation=notified.correlation_id,
        causation=notified.id,
        trace=tracing.current(),
    )
    drafts = (draft(model, id=identity, origin=origin, subject=notified.subject),)
    outcome = log.append(Append(drafts, {stream_of(party): fold(told).version}))[0]
    assert outcome.position is not None
    return outcome.position, stored(log.body(outcome.position))


def issued(told: list[Recorded], notice: str) -> Recorded:
    """The notice in this feed. Raises NotFound, also for another party's."""
    for event in told:
        if event.type == type_of(NoticeIssued) and event.data["notice"] == notice:
            return event
    raise NotFound(f"There is no notice '{notice}' in your feed.")


def _model(notice: str, party: Ref, body: AnswerBody) -> NoticeAnswered:
    content = {**orjson.loads(body.model_dump_json(exclude_none=True)), "notice": notice, "party": party}
    try:
        return NoticeAnswered.model_validate(content)
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False)) from error
