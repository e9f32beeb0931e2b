"""Receiving: what a posted CloudEvent may be, and the one clear sentence when it may not."""

import copy
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import DomainError, Invalid, UnknownType
from events.receive import Origin, draft, receive
from tests.golden.pins import example

LOT = "lodestone.lots.lot_registered.v1"
FLUX = "lodestone.tests.flux_measured.v1"


def flux(**changes):
    return {**copy.deepcopy(example(FLUX)), **changes}


def refused(event):
    with pytest.raises(Invalid) as caught:
        receive(event)
    assert caught.value.detail.endswith(".")
    return caught.value


def pointers(event):
    return [fault.pointer for fault in refused(event).errors]


def test_a_fact_goes_to_the_stream_of_the_thing_it_is_about():
    received = receive(example(FLUX))
    assert received.draft.stream == "tests/aurora:M-000417"
    assert not received.draft.versioned


def test_the_draft_keeps_the_event_as_it_came():
    event = example(FLUX)
    assert receive(event).draft.event is event


@pytest.mark.parametrize("name", ["recordedtime", "stream", "streamversion", "sequence"])
def test_what_the_service_sets_is_refused_from_a_client(name):
    assert pointers(flux(**{name: "1"})) == [f"/{name}"]


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "time", "data"])
def test_a_required_attribute_that_is_missing_is_named(name):
    event = flux()
    del event[name]
    assert f"/{name}" in pointers(event)


def test_an_unknown_extension_is_kept():
    event = flux(shift="night", batchno=7)
    assert receive(event).draft.event["shift"] == "night"


@pytest.mark.parametrize(
    ("name", "value"), [("Shift", "x"), ("batch_no", "x"), ("shift", ""), ("shift", 1.5), ("shift", {}), ("n", 2**40)]
)
def test_an_attribute_that_cloudevents_does_not_allow_is_refused(name, value):
    assert pointers(flux(**{name: value})) == [f"/{name}"]


def test_an_unknown_data_field_is_refused_with_its_pointer():
    event = flux()
    event["data"]["colour"] = "blue"
    assert pointers(event) == ["/data/colour"]


@pytest.mark.parametrize("text", ["2026-03-01T08:00:00", "2026-03-01", "yesterday", 1772352000, "0001-01-01T00:00:00Z"])
def test_a_time_without_an_offset_or_sense_is_refused(text):
    assert pointers(flux(time=text))[0] == "/time"


@pytest.mark.parametrize("text", ["2026-03-01T08:00:00", "2026-03-01", 1772352000, "1772352000", None])
def test_so_is_a_time_in_the_data(text):
    event = flux()
    event["data"]["tested_at"] = text
    assert pointers(event) == ["/data/tested_at"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinities_are_refused(value):
    event = flux()
    event["data"]["value"]["value"] = value
    assert "NaN or infinite" in refused(event).detail


def test_a_number_in_quotes_is_refused_for_it_would_be_stored_so():
    event = flux()
    event["data"]["value"]["value"] = "41.2"
    assert pointers(event) == ["/data/value/value"]


def test_an_unknown_unit_is_refused_naming_near_matches():
    event = flux()
    event["data"]["referred_to"]["unit"] = "Cell"
    error = refused(event)
    assert "Cell" in error.detail and "Cel" in error.detail and "near matches" in error.detail


def test_a_unit_of_another_dimension_is_refused_naming_the_right_one():
    event = flux()
    event["data"]["value"]["unit"] = "T"
    assert "mV.min" in refused(event).detail


def test_an_unknown_characteristic_is_refused_naming_near_matches():
    event = copy.deepcopy(example("lodestone.lots.lot_certified.v1"))
    event["data"]["measurements"][0]["characteristic"] = "magnet.HcB1"
    assert "magnet.Hc" in refused(event).detail


def test_an_unknown_type_is_refused_naming_near_matches():
    with pytest.raises(UnknownType, match=r"flux_measured\.v1"):
        receive(flux(type="lodestone.tests.flux_mesured.v1"))


def test_a_subject_that_names_another_motor_is_refused():
    assert pointers(flux(subject="motors/aurora:M-1")) == ["/subject"]


def test_a_partition_key_that_names_another_motor_is_refused():
    assert pointers(flux(partitionkey="aurora:M-1")) == ["/partitionkey"]


def test_a_fact_replaces_only_facts_of_its_own_source():
    event = flux()
    event["data"]["replaces"] = {"source": "/benches/T-4", "id": "1"}
    assert pointers(event) == ["/data/replaces/source"]


def test_a_fact_does_not_replace_itself():
    event = flux()
    event["data"]["replaces"] = {"source": event["source"], "id": event["id"]}
    assert pointers(event) == ["/data/replaces"]


def test_every_fault_of_the_data_is_named_at_once():
    event = flux()
    event["data"]["value"]["unit"] = "furlong"
    event["data"]["why"] = "because"
    assert sorted(pointers(event)) == ["/data/value/unit", "/data/why"]


@pytest.mark.parametrize("event", [None, [], "event", 3])
def test_what_is_not_an_object_is_refused(event):
    refused(event)


def test_data_that_is_not_an_object_is_refused():
    assert pointers(flux(data=[1, 2])) == ["/data"]


def test_what_the_service_writes_it_could_also_receive():
    received = receive(example("lodestone.feeds.notice_issued.v1"))
    origin = Origin("/services/engine", "2026-03-05T13:25:00.000000Z", correlation="c", causation="d")
    written = draft(received.data, id="x-1", origin=origin)
    again = receive(dict(written.event))
    assert again.data == received.data
    assert again.draft.stream == written.stream == "feeds/northgate:northgate"
    assert written.event["subject"] == f"notices/{written.event['data']['notice']}"
    assert again.draft.content_hash == written.content_hash


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([LOT, FLUX]), st.data())
def test_whatever_is_put_in_place_of_a_part_is_received_or_refused_in_words(event_type, draw):
    event = copy.deepcopy(example(event_type))
    place = event
    while isinstance(place, dict) and place and draw.draw(st.booleans()):
        key = draw.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict):
            break
        place = place[key]
    key = draw.draw(st.sampled_from(sorted(place)))
    place[key] = draw.draw(junk)
    try:
        receive(event)
    except DomainError as error:
        assert error.detail


@given(st.permutations(sorted(example(FLUX))))
def test_the_hash_is_the_same_in_whatever_order_the_attributes_arrive(order):
    event = example(FLUX)
    shuffled = {name: event[name] for name in order}
    assert receive(json.loads(json.dumps(shuffled))).draft.content_hash == receive(event).draft.content_hash
