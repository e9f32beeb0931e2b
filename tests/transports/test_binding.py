"""CloudEvents over Kafka: both modes are read and written, as the reference SDK does, and what is broken is named."""

import json

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, from_structured, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from events.errors import DomainError, Invalid
from services.exchange.problems import UnsupportedMedia
from services.transports.kafka.binding import binary, read, structured
from tests.doors.facts import efficiency

EVENT = {**efficiency("M-1"), "correlationid": "Prüfung 7", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
JSON_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")


def test_what_is_written_in_either_mode_is_read_as_it_was():
    for headers, value in (binary(EVENT), structured(orjson.dumps(EVENT))):
        assert read(headers, value) == EVENT


def test_the_reference_sdk_reads_what_we_write_and_we_read_what_it_writes():
    for (headers, value), reads in ((binary(EVENT), from_binary), (structured(orjson.dumps(EVENT)), from_structured)):
        told = reads(KafkaMessage(dict(headers), None, value), JSONFormat())
        assert (told.get_id(), told.get_source(), told.get_type()) == (EVENT["id"], EVENT["source"], EVENT["type"])
        assert told.get_extension("correlationid") == "Prüfung 7"
        data = told.get_data()
        assert (json.loads(data) if isinstance(data, str | bytes) else data) == EVENT["data"]
    attributes = {name: value for name, value in EVENT.items() if name not in {"data", "time"}}
    theirs = CloudEvent({**attributes, "datacontenttype": "application/json"}, EVENT["data"])
    for message in (to_binary(theirs, JSONFormat()), to_structured(theirs, JSONFormat())):
        found = read(list(message.headers.items()), message.value)
        assert {**found, "time": EVENT["time"]} | {"datacontenttype": 1} == EVENT | {"datacontenttype": 1}


def test_the_trace_of_a_message_is_that_of_its_event_unless_it_has_one():
    plain = {name: value for name, value in EVENT.items() if name != "traceparent"}
    traced = [JSON_TYPE, ("traceparent", EVENT["traceparent"].encode())]
    assert read(traced, orjson.dumps(plain)) == EVENT
    other = {**EVENT, "traceparent": f"00-{'c' * 32}-{'d' * 16}-01"}
    assert read(traced, orjson.dumps(other)) == other


BINARY = [("ce_specversion", b"1.0"), ("ce_id", b"1")]


@pytest.mark.parametrize(
    ("headers", "value", "kind", "words"),
    [
        ([], b"{}", UnsupportedMedia, "no CloudEvent: its content-type is 'missing'"),
        ([("content-type", b"text/plain")], b"x", UnsupportedMedia, "'text/plain'"),
        ([JSON_TYPE], None, Invalid, "never a tombstone"),
        ([JSON_TYPE], b"\xff{}", Invalid, "not JSON"),
        ([JSON_TYPE], b"", Invalid, "empty"),
        ([JSON_TYPE, JSON_TYPE], b"{}", Invalid, "content-type came twice"),
        ([("content-type", b"application/cloudevents+json; charset=latin-1")], b"{}", UnsupportedMedia, "UTF-8"),
        ([("content-type", b"application/cloudevents-batch+json")], b"[]", UnsupportedMedia, "no batch mode"),
        ([("content-type", b"application/cloudevents+avro")], b"", UnsupportedMedia, "only JSON"),
        (BINARY, None, Invalid, "tombstone"),
        ([*BINARY, ("ce_id", b"2")], b"{}", Invalid, "ce_id came twice"),
        ([*BINARY, ("ce_source", b"/b\xe9nch")], b"{}", Invalid, "ce_source: the header is not UTF-8"),
        ([*BINARY, ("ce_datacontenttype", b"application/json")], b"{}", Invalid, "leave ce_datacontenttype out"),
        ([*BINARY, ("content-type", b"text/csv")], b"a,b", UnsupportedMedia, "not 'text/csv'"),
    ],
)
def test_a_message_that_is_no_event_is_named(headers, value, kind, words):
    with pytest.raises(DomainError, match=words) as refused:
        read(headers, value)
    assert type(refused.value) is kind


def test_the_key_says_nothing_and_header_names_of_the_content_type_may_be_written_in_capitals():
    assert read([("Content-Type", JSON_TYPE[1]), ("other", None)], orjson.dumps(EVENT)) == EVENT
    assert read([*BINARY, ("content-type", b"application/vnd.plant+json")], b"[1]") == {
        "specversion": "1.0",
        "id": "1",
        "datacontenttype": "application/vnd.plant+json",
        "data": [1],
    }
