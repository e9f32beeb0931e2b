"""Stored bytes and back: times in one form whichever way they were written, and recorded events that stay so."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime

import orjson
import pytest

from events.canonical import content_hash
from events.envelope import SERVICE_ATTRIBUTES, decode, draft_of, stored_bytes, utc_text

RECORDED = "2026-03-01T09:00:00.000000Z"
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/b",
    "type": "t",
    "time": "2026-01-01T00:00:00Z",
    "data": {"v": 1.0},
}


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.5Z", "2026-03-01T08:00:00.123456+00:00",
        "2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00+01:00", "2026-12-31T23:30:00-05:30",
        "2026-03-01T08:00:00.123-00:00", "2026-03-01 08:00:00Z", "2026-W09-7T08:00:00Z", "1900-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_reads_the_same_by_the_fast_way_and_the_slow_one(time):
    event = decode(1, stored_bytes(draft_of({**EVENT, "time": time}, "lots/a", versioned=False), RECORDED, None))
    assert event.time == utc_text(datetime.fromisoformat(time))


def test_stored_bytes_hold_the_event_with_its_tracing_and_begin_with_what_was_hashed():
    sent = {**EVENT, "traceparent": "00-ab", "tracestate": "x=1"}
    draft = draft_of(sent, "feeds/magnus", versioned=True)
    body = stored_bytes(draft, RECORDED, 7)
    stored = orjson.loads(body)
    added = {"recordedtime": RECORDED, "stream": "feeds/magnus", "streamversion": "7", "sequence": "000000000007"}
    assert stored == {**sent, **added}
    assert body.startswith(draft.canonical[:-1])
    received = {name: value for name, value in stored.items() if name not in SERVICE_ATTRIBUTES}
    assert content_hash(received) == draft.content_hash == content_hash(sent)


def test_a_recorded_event_is_not_changed_but_copied():
    event = decode(3, stored_bytes(draft_of(EVENT, "lots/a", versioned=False), RECORDED, None))
    with pytest.raises(FrozenInstanceError):
        event.position = 4  # type: ignore[misc]
    assert replace(event, position=4).position == 4
    assert event == replace(event)
