"""docs/asyncapi.yaml: valid AsyncAPI 3, made from what the code does, and true of what is really published."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from jsonschema import Draft7Validator

from events.catalogue import CATALOGUE
from events.envelope import SERVICE_ATTRIBUTES, draft_of
from services.store.log import Append
from services.transports.kafka.asyncapi.messages import POSTED
from services.transports.kafka.relay.relaying import Relay
from tests.doors.notices import tell
from tests.folds.plants import GOLDEN
from tests.transports.asyncapi import DOCUMENT, text
from tests.transports.relay.plain import headers, read
from tests.transports.relay.test_relay import running, wait_for
from tests.transports.relay.test_specs_and_feeds import fill

OFFICIAL = Path(__file__).parent / "official" / "3.0.0.json"
"""From the package @asyncapi/specs 6.11.1, unchanged, under the licence beside it."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return found


def golden() -> dict[str, dict[str, Any]]:
    """One example of every type, as it is received."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in GOLDEN.glob("*.json")}
    assert found.keys() == CATALOGUE.keys()
    return found


def test_the_committed_document_is_the_one_that_the_code_makes():
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "python -m tests.transports.asyncapi"


def test_it_is_valid_by_the_official_schema(document):
    official = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(official).iter_errors(document)] == []


def test_every_reference_in_it_leads_somewhere(document):
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    for reference in set(references(document)):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_what_may_be_posted_is_valid_and_what_the_service_adds_is_not(document):
    examples = golden()
    for name in POSTED:
        message = document["components"]["messages"][f"posted.{name}"]
        assert faults(document, message["payload"], examples[name]) == []
        assert faults(document, message["payload"], {**examples[name], "data": {"other": 1}})
    assert not {*SERVICE_ATTRIBUTES} & document["components"]["schemas"]["PostedEvent"]["properties"].keys()


def faults(document: dict[str, Any], schema: Any, value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {"components": document["components"], "allOf": [schema]}
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(whole).iter_errors(value)]


def message_of(document: dict[str, Any], channel: dict[str, Any], record: Any) -> dict[str, Any]:
    """The message that a record says it is: by its type, or the only one that fits."""
    named = {name: document["components"]["messages"][name] for name in channel["messages"]}
    value = None if record.value is None else orjson.loads(record.value)
    if value is not None and "type" in value:
        return next(one for one in named.values() if one.get("name") == value["type"])
    (found,) = (one for one in named.values() if (one["payload"] == {"type": "null"}) == (value is None))
    return found


def test_everything_that_the_relay_publishes_is_as_the_document_says(kafka, database, log, document):
    fill(log)
    tell(log, "alpha", 1, 2)
    for name, event in golden().items():
        line = CATALOGUE[name]
        key = event.get("partitionkey") or event["subject"].partition("/")[2]
        log.append(Append((draft_of(event, f"{line.stream}/{key}", versioned=line.versioned),)))
    with running(Relay(database, log, kafka, "one")) as relay:
        wait_for(relay, log.head())
    with kafka.admin() as admin:
        topics = [name for name in admin.list_topics() if name.startswith(f"{kafka.prefix}.")]
    seen: Counter[str] = Counter()
    for topic in topics:
        own = topic.removeprefix(f"{kafka.prefix}.")
        address = "lodestone.supplier.{party}.v1" if own.startswith("supplier.") else f"lodestone.{own}"
        (channel,) = (one for one in document["channels"].values() if one["address"] == address)
        for record in read(kafka.servers, topic):
            message = message_of(document, channel, record)
            assert faults(document, message["headers"], headers(record)) == []
            value = None if record.value is None else orjson.loads(record.value)
            assert faults(document, message["payload"], value) == []
            assert headers(record).keys() <= message["headers"]["properties"].keys()
            assert isinstance(record.key.decode(), str)
            seen[address] += 1
    assert seen.keys() == {one["address"] for one in document["channels"].values() if ".bench." not in one["address"]}
    assert seen["lodestone.log.v1"] == log.head() > len(CATALOGUE)
