"""Earlier versions of facts: still received, and told in the newest version without adding or correcting anything."""

import copy
import json

import pytest

from events.catalogue import find, upcast_data
from events.errors import Invalid
from events.facts.earlier import vibration_v2
from events.facts.tests import VibrationMeasured
from events.receive import receive
from tests.golden.pins import example

V1, V2 = (f"lodestone.tests.vibration_measured.v{number}" for number in (1, 2))


def second(**fields):
    event = copy.deepcopy(example(V2))
    event["data"] |= fields
    return event


def hertz(low, high):
    return {"low": {"value": low, "unit": "Hz"}, "high": {"value": high, "unit": "Hz"}}


def test_the_first_version_may_still_be_posted():
    assert receive(example(V1)).line is find(V1)
    assert receive(example(V1)).line.by == receive(example(V2)).line.by != frozenset()


def test_what_the_first_version_left_unsaid_is_stated_in_the_second():
    told = vibration_v2({"motor": "m", "velocity": {"value": 1, "unit": "mm/s"}})
    assert told == {
        "motor": "m", "velocity": {"value": 1, "unit": "mm/s"}, "band": hertz(10.0, 1000.0), "mounting": "free",
    }  # fmt: skip


def test_what_the_first_version_said_is_kept_as_it_was_told():
    told = vibration_v2({"band_low_Hz": 1000, "band_high_Hz": 5.5, "mounting": "rigid", "unknown": [1]})
    assert told == {"band": hertz(1000, 5.5), "mounting": "rigid", "unknown": [1]}


def test_the_upcast_example_is_a_valid_second_version():
    newest, told = upcast_data(find(V1), example(V1)["data"])
    assert newest is find(V2)
    assert VibrationMeasured.model_validate_json(json.dumps(told), strict=True).band.low.to("Hz") == 10


@pytest.mark.parametrize("field", ["band", "mounting"])
def test_the_second_version_asks_for_the_conditions_that_move_the_limit(field):
    event = second()
    del event["data"][field]
    with pytest.raises(Invalid, match=field):
        receive(event)


@pytest.mark.parametrize("band", [hertz(1000, 10), hertz(10, 10), hertz(-1, 10)])
def test_a_band_runs_from_low_to_high(band):
    with pytest.raises(Invalid, match="low frequency"):
        receive(second(band=band))


def test_a_band_may_be_told_in_any_unit_of_frequency_and_in_no_other():
    receive(second(band={"low": {"value": 600, "unit": "/min"}, "high": {"value": 1000, "unit": "Hz"}}))
    with pytest.raises(Invalid, match="rate"):
        receive(second(band={"low": {"value": 10, "unit": "mm"}, "high": {"value": 1000, "unit": "Hz"}}))
