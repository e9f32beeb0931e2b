"""Every event type and version has one example, its hash and its schema, and none of them ever changes."""

import json

import pytest

from events.canonical import content_hash
from events.catalogue import CATALOGUE
from events.receive import receive
from events.schema import json_schema
from tests.golden.pins import EXAMPLES, HOW, SCHEMAS, example, hashes, text

TYPES = sorted(CATALOGUE)


def test_there_is_one_example_for_every_type_and_none_besides():
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == TYPES, HOW


def test_there_is_one_hash_for_every_type_and_none_besides():
    assert sorted(hashes()) == TYPES, HOW


def test_there_is_one_frozen_schema_for_every_type_and_none_besides():
    assert sorted(path.stem for path in SCHEMAS.iterdir()) == TYPES, HOW


@pytest.mark.parametrize("event_type", TYPES)
def test_the_example_is_received(event_type):
    received = receive(example(event_type))
    assert received.line is CATALOGUE[event_type]
    assert received.draft.type == event_type


@pytest.mark.parametrize("event_type", TYPES)
def test_the_example_is_what_it_was(event_type):
    assert content_hash(example(event_type)).hex() == hashes()[event_type], HOW


@pytest.mark.parametrize("event_type", TYPES)
def test_the_schema_is_what_it_was(event_type):
    assert text(json_schema(event_type)) == (SCHEMAS / f"{event_type}.json").read_text(encoding="utf-8"), HOW


@pytest.mark.parametrize("event_type", TYPES)
def test_the_example_states_every_field_that_has_no_default(event_type):
    schema = json_schema(event_type)["properties"]["data"]
    assert set(schema.get("required", ())) <= set(example(event_type)["data"]) <= set(schema["properties"])


@pytest.mark.parametrize("event_type", TYPES)
def test_the_example_survives_its_model_and_json(event_type):
    received = receive(example(event_type))
    again = json.loads(received.data.model_dump_json())
    assert received.line.model.model_validate(again) == received.data
