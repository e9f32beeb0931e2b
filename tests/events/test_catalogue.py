"""The catalogue: types and their lines, versions with upcasters, and the schema of each."""

from dataclasses import replace

import pytest

from events.catalogue import (
    CATALOGUE,
    DOMAIN,
    EventType,
    catalogue_of,
    find,
    known,
    line_of,
    newest,
    stored_types,
    type_of,
    upcast,
)
from events.envelope import Recorded
from events.errors import UnknownType
from events.facts.base import Fact
from events.facts.earlier import VibrationMeasuredV1
from events.facts.tests import VibrationMeasured
from events.refs import Ref
from events.schema import json_schema, types
from events.vocabulary.quantities import Velocity


class ImbalanceMeasuredV1(Fact):
    """A first version with a bare number."""

    motor: Ref
    imbalance_mm_s: float


class ImbalanceMeasuredV2(Fact):
    """A second version with a unit."""

    motor: Ref
    imbalance: Velocity


def _up(data):
    rest = {key: value for key, value in data.items() if key != "imbalance_mm_s"}
    return {**rest, "imbalance": {"value": data["imbalance_mm_s"], "unit": "mm/s"}}


FIRST = EventType("tests", ImbalanceMeasuredV1, "motor", "motors", versioned=False, upcast=_up)
SECOND = EventType("tests", ImbalanceMeasuredV2, "motor", "motors", versioned=False, version=2)
TWO = catalogue_of([FIRST, SECOND])


def recorded(event_type, data):
    return Recorded(type=event_type, source="/b", id="1", time="t", recorded_time="t", stream="tests/a:1", parsed=data)


def test_the_versions_of_a_type_share_its_name():
    assert list(TWO) == ["lodestone.tests.imbalance_measured.v1", "lodestone.tests.imbalance_measured.v2"]


def test_an_old_event_is_read_as_the_newest_version():
    old = recorded(FIRST.type, {"motor": {"issuer": "a", "id": "1"}, "imbalance_mm_s": 0.4, "later": "kept"})
    new = upcast(old, TWO)
    assert new.type == SECOND.type
    assert new.data == {
        "motor": {"issuer": "a", "id": "1"}, "imbalance": {"value": 0.4, "unit": "mm/s"}, "later": "kept",
    }  # fmt: skip
    assert new.with_data(old.data, type=old.type) == old.with_data(old.data)


def test_the_newest_version_is_left_as_it_is():
    event = recorded(SECOND.type, {})
    assert upcast(event, TWO) is event


def test_a_type_of_a_newer_release_is_refused():
    with pytest.raises(UnknownType):
        upcast(recorded("lodestone.tests.imbalance_measured.v3", {}), TWO)


@pytest.mark.parametrize(
    "lines",
    [[FIRST, FIRST, SECOND], [SECOND], [replace(FIRST, upcast=None), SECOND], [FIRST]],
    ids=["a version twice", "no first version", "no upcaster", "an upcaster to nothing"],
)
def test_a_catalogue_with_a_hole_is_not_made(lines):
    with pytest.raises(ValueError):
        catalogue_of(lines)


def test_a_model_finds_its_line_and_type():
    assert type_of(VibrationMeasured) == "lodestone.tests.vibration_measured.v2"
    assert type_of(VibrationMeasuredV1) == "lodestone.tests.vibration_measured.v1"
    assert line_of(VibrationMeasured) is find(type_of(VibrationMeasured))
    assert known(type_of(VibrationMeasured)) and not known("lodestone.tests.vibration_measured.v9")


def test_the_log_is_asked_for_every_version_of_a_type():
    both = {"lodestone.tests.vibration_measured.v1", "lodestone.tests.vibration_measured.v2"}
    assert stored_types([type_of(VibrationMeasured)]) == both
    assert newest("tests.vibration_measured") == max(both)
    assert DOMAIN & both == {max(both)}


def test_facts_carry_no_stream_version_and_rules_do():
    facts = {"parties", "benches", "lots", "sources", "motors", "tests", "assessments", "ledger"}
    assert {line.stream for line in CATALOGUE.values() if not line.versioned} == facts


def test_nothing_that_is_decided_or_concluded_may_be_posted():
    posted = {line.stream for line in CATALOGUE.values() if line.by}
    assert posted == {"parties", "benches", "lots", "sources", "motors", "tests"}


@pytest.mark.parametrize("event_type", types())
def test_the_schema_is_of_the_whole_event_and_refuses_what_the_service_sets(event_type):
    schema = json_schema(event_type)
    assert schema["$id"] == f"urn:lodestone:schema:{event_type}"
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["properties"]["type"] == {"const": event_type}
    assert schema["properties"]["recordedtime"] is False
    assert schema["properties"]["data"]["additionalProperties"] is False
    assert schema["description"]


def test_every_reference_of_a_schema_has_its_target():
    for event_type in types():
        schema = json_schema(event_type)
        assert set(_references(schema)) <= {f"#/$defs/{name}" for name in schema["$defs"]}


def _references(node):
    if isinstance(node, dict):
        yield from (node[key] for key in node if key == "$ref")
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
