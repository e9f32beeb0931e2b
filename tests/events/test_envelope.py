"""Stored bytes and back: times in one form whichever way they were written, and recorded events that stay so."""

import pickle
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from events.canonical import content_hash
from events.envelope import SERVICE_ATTRIBUTES, decode, draft_of, stored_bytes, utc_text
from events.errors import Invalid

RECORDED = "2026-03-01T09:00:00.000000Z"
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/b",
    "type": "t",
    "time": "2026-01-01T00:00:00Z",
    "data": {"v": 1.0},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9\n", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
OFFSETS = st.integers(-839, 839).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.builds(
    lambda after, offset: (datetime(1901, 1, 1, tzinfo=UTC) + after).astimezone(offset).isoformat(),
    st.integers(0, 2**37).map(lambda s: timedelta(seconds=s)) | st.timedeltas(timedelta(0), timedelta(2_000_000)),
    OFFSETS | st.just(UTC),
)
ATTRIBUTES = {
    "subject": st.text("ab/", min_size=1), "partitionkey": st.sampled_from(["a:7", "b%3A:9"]),
    "correlationid": st.sampled_from(["7", "case", 7, True]), "causationid": st.sampled_from(["null", "12", 12]),
    "position": st.sampled_from(["first", "9", 9]), "type": st.just("u"), "traceparent": st.just("00-ab"),
}  # fmt: skip


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.5Z", "2026-03-01T08:00:00.123456+00:00",
        "2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00+01:00", "2026-12-31T23:30:00-05:30",
        "2026-03-01T08:00:00.123-00:00", "2026-03-01 08:00:00Z", "2026-W09-7T08:00:00Z", "2026-W09-7T08:00:00+00:00",
        "2026-03-01T08:00:00,5+00:00", "1900-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_reads_the_same_by_the_fast_way_and_the_slow_one(time):
    event = decode(1, stored_bytes(draft_of({**EVENT, "time": time}, "lots/a", versioned=False), RECORDED, None))
    assert event.time == utc_text(datetime.fromisoformat(time))


def values_of(position, body):
    """What a recorded event holds, from its JSON one attribute after another."""
    event = orjson.loads(body)
    version, stream = event.get("streamversion"), event["stream"]
    return {
        "position": position,
        "type": event["type"],
        "source": event["source"],
        "id": event["id"],
        "subject": event.get("subject", ""),
        "time": utc_text(datetime.fromisoformat(event["time"])),
        "recorded_time": event["recordedtime"],
        "stream": stream,
        "stream_version": None if version is None else int(version),
        "partition_key": event.get("partitionkey") or stream.partition("/")[2],
        "correlation_id": event.get("correlationid"),
        "causation_id": event.get("causationid"),
        "data": event["data"],
    }


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries({"data": st.dictionaries(st.text(max_size=4), VALUES, max_size=4), "time": TIMES},
                          optional=ATTRIBUTES),
    st.none() | st.integers(1, 2**40),
    st.sampled_from(["lots/a:1", "feeds/magnus", "policy"]),
)  # fmt: skip
def test_an_event_reads_as_its_json_says_attribute_by_attribute(more, version, stream):
    body = stored_bytes(draft_of({**EVENT, **more}, stream, versioned=version is not None), RECORDED, version)
    event = decode(5, body)
    values = {name: getattr(event, name) for name in values_of(5, body)}
    assert repr(values) == repr(values_of(5, body))  # by text: 1 is not 1.0, nor True, and −0.0 is not 0.0
    assert pickle.loads(pickle.dumps(event)) == event


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


class Part(Struct):
    v: float


part = Decoder(Part).decode


def recorded(data):
    return decode(3, stored_bytes(draft_of({**EVENT, "data": data}, "lots/a", versioned=False), RECORDED, None))


def test_a_part_of_the_data_is_read_without_the_rest_also_of_data_that_took_their_place():
    event = recorded({"v": 1.5, "w": {"x": [1]}})
    assert event.read(part).v == 1.5 and event.parsed is None
    assert event.data == {"v": 1.5, "w": {"x": [1]}} and event.data is event.data
    other = event.with_data({"v": 2, "w": None}, type="u")
    assert (other.read(part).v, other.data, other.type, other.id) == (2.0, {"v": 2, "w": None}, "u", event.id)
    assert event.read(part).v == 1.5


def test_data_that_are_not_as_a_part_expects_them_are_named():
    with pytest.raises(Invalid, match=r"data of this t are not as they should be: .*\$\.v"):
        recorded({"v": "1.5"}).read(part)


@pytest.mark.parametrize("data", [{"replaces": {"source": "/b", "id": "0"}}, {"a": 1, "replaces": None}])
def test_an_event_that_names_what_it_replaces_may_correct(data):
    assert recorded(data).corrects
    assert not recorded({"a": '"replaces":', "b": "replaces"}).corrects
    assert recorded({}).with_data(data).corrects


def test_a_recorded_event_is_not_changed_but_copied():
    event = decode(3, stored_bytes(draft_of(EVENT, "lots/a", versioned=False), RECORDED, None))
    with pytest.raises(AttributeError):
        event.position = 4  # type: ignore[misc]
    assert replace(event, position=4).position == 4
    assert event == replace(event)
