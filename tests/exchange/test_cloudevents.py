"""The CloudEvents codec over HTTP, cross-checked with the public SDK."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from events.errors import Invalid
from services.exchange.cloudevents import read_http
from services.exchange.problems import UnsupportedMedia

ATTRIBUTES = {
    "type": "lodestone.tests.efficiency_measured.v1",
    "source": "/benches/Prüfstand 1",
    "id": '50 % "quoted" €',
    "specversion": "1.0",
    "time": datetime(2026, 3, 1, 8, tzinfo=UTC),
    "subject": "motors/plant:M%201",
    "datacontenttype": "application/json",
}
DATA = {"motor": {"issuer": "plant", "id": "M 1"}, "value": 93.1}


def _sdk():
    return CloudEvent(dict(ATTRIBUTES), DATA)


def _text(event):
    """The event as comparable text values; the SDK writes the same instant in its own way."""
    return {**event, "time": datetime.fromisoformat(event["time"])}


def test_a_binary_request_of_the_sdk_reads_as_the_same_event():
    message = to_binary(_sdk(), JSONFormat())
    headers = list(message.headers.items())
    content_type = {name.lower(): value for name, value in headers}["content-type"]
    posted = read_http(content_type, headers, message.body)
    expected = {key: value for key, value in ATTRIBUTES.items() if key != "datacontenttype"}
    assert posted.mode == "binary"
    assert _text(posted.events[0]) == {**expected, "data": DATA}


def test_a_structured_request_of_the_sdk_reads_as_the_same_event():
    message = to_structured(_sdk(), JSONFormat())
    content_type = {name.lower(): value for name, value in message.headers.items()}["content-type"]
    posted = read_http(content_type, message.headers.items(), message.body)
    assert posted.mode == "structured"
    assert _text(posted.events[0]) == {**ATTRIBUTES, "data": DATA}


def test_a_header_is_decoded_once_and_no_more():
    headers = [("ce-specversion", "1.0"), ("ce-id", "100%2525"), ("CE-Source", "/caf%C3%A9")]
    event = read_http("application/json", headers, b"{}").events[0]
    assert (event["id"], event["source"]) == ("100%25", "/café")


@pytest.mark.parametrize("value", ["%C3%28", "%", "%zz"])
def test_a_header_that_is_not_percent_encoded_utf8_is_refused(value):
    with pytest.raises(Invalid, match="ce-id"):
        read_http("application/json", [("ce-specversion", "1.0"), ("ce-id", value)], b"{}")


def test_the_content_type_of_the_data_is_not_a_ce_header():
    headers = [("ce-specversion", "1.0"), ("ce-datacontenttype", "application/json")]
    with pytest.raises(Invalid, match="Content-Type"):
        read_http("application/json", headers, b"{}")


def test_a_batch_gives_its_items_unchecked_and_in_order():
    body = json.dumps([{"id": "1"}, 7, None]).encode()
    posted = read_http("application/cloudevents-batch+json; charset=UTF-8", [], body)
    assert posted.events == ({"id": "1"}, 7, None)


@pytest.mark.parametrize("media", [None, "text/plain", "application/json", "application/cloudevents+xml"])
def test_what_is_not_a_cloudevent_is_unsupported(media):
    with pytest.raises(UnsupportedMedia, match=r"application/cloudevents\+json"):
        read_http(media, [], b"{}")


def test_binary_data_that_is_not_json_is_unsupported():
    with pytest.raises(UnsupportedMedia, match="not 'text/csv'"):
        read_http("text/csv", [("ce-specversion", "1.0")], b"a,b")


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"\xff", b"[NaN", b'{"a":NaN,}'])
def test_broken_json_is_refused_in_one_sentence(body):
    with pytest.raises(Invalid) as refused:
        read_http("application/cloudevents-batch+json", [], body)
    assert refused.value.detail.count(".") >= 1
    assert "JSON" in refused.value.detail


def test_the_request_s_traceparent_becomes_an_extension_unless_the_event_has_one():
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = [("traceparent", trace)]
    first, second = read_http(
        "application/cloudevents-batch+json", headers, b'[{"id":"1"},{"id":"2","traceparent":"own"}]'
    ).events
    assert first["traceparent"] == trace
    assert second["traceparent"] == "own"
    assert "traceparent" not in read_http("application/cloudevents+json", [("traceparent", "x")], b"{}").events[0]
