"""Sameness: one fact told in two versions is one fact, and nothing else is."""

import copy

import pytest

from events.facts.earlier import vibration_v2
from events.sameness import same_fact
from tests.golden.pins import example

V1, V2 = (f"lodestone.tests.vibration_measured.v{number}" for number in (1, 2))


def first(**fields):
    event = copy.deepcopy(example(V1))
    event["data"] |= fields
    return event


def second(event=None, **fields):
    event = event or first()
    schema = f"urn:lodestone:schema:{V2}"
    return {**event, "type": V2, "dataschema": schema, "data": vibration_v2(event["data"]) | fields}


def both_ways(one, other):
    assert same_fact(one, other) is same_fact(other, one)
    return same_fact(one, other)


def test_a_fact_told_again_in_the_next_version_is_the_same():
    assert both_ways(first(), second())


def test_defaults_may_be_stated_or_left_out():
    old = first()
    for name in ("band_low_Hz", "band_high_Hz", "mounting"):
        del old["data"][name]
    assert both_ways(old, second(origin="measured", replaces=None))


def test_what_the_service_adds_and_what_a_resend_may_change_do_not_count():
    stored = {**first(), "recordedtime": "2026-04-01T00:00:00Z", "stream": "tests/x", "traceparent": "00-a-b-01"}
    assert same_fact(stored, {**second(), "traceparent": "00-c-d-01"})


@pytest.mark.parametrize(
    "difference",
    [
        {"mounting": "rigid"},
        {"velocity": {"value": 0.63, "u": 0.04, "unit": "mm/s"}},
        {"band": {"low": {"value": 600, "unit": "/min"}, "high": {"value": 1000, "unit": "Hz"}}},
    ],
    ids=["another mounting", "another value", "a unit that the first version cannot say"],
)
def test_what_really_differs_is_another_fact(difference):
    assert not both_ways(first(), second(**difference))


def test_another_time_is_another_fact():
    assert not both_ways(first(), {**second(), "time": "2026-03-05T14:26:00+01:00"})


def test_within_one_version_the_content_hash_decides():
    assert not both_ways(first(), first())
    assert not both_ways(second(), second())


def test_a_first_version_that_the_second_would_not_take_is_no_second_version():
    wrong = first(band_low_Hz=1000, band_high_Hz=10)
    assert not both_ways(wrong, second(wrong))


def test_other_types_and_unknown_versions_are_never_the_same():
    assert not both_ways(first(), example("lodestone.tests.flux_measured.v1"))
    assert not both_ways(first(), {**second(), "type": "lodestone.tests.vibration_measured.v9"})
