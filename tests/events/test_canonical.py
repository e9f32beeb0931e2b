"""Canonical bytes: one text for one content, and the hash that decides between a duplicate and a conflict."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.canonical import canonical, content_hash, plain
from events.errors import Invalid

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
EVENT = {"specversion": "1.0", "id": "1", "source": "/b", "type": "t", "time": "2026-01-01T00:00:00Z", "data": {"v": 1}}


def test_an_integral_float_and_the_integer_are_one_text():
    assert canonical({"value": 120.0}) == canonical({"value": 120}) == b'{"value":120}'


def test_minus_zero_is_zero():
    assert canonical(-0.0) == canonical(0)


def test_true_is_not_one():
    assert canonical({"v": True}) != canonical({"v": 1})


def test_keys_are_sorted_at_every_depth():
    assert canonical({"b": {"z": 1, "a": [{"y": 1, "x": 2}]}, "a": None}) == (
        b'{"a":null,"b":{"a":[{"x":2,"y":1}],"z":1}}'
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(Invalid, match="NaN or infinite"):
        canonical({"deep": [1, {"v": value}]})


@pytest.mark.parametrize("value", [2**64, "\ud800", {1, 2}])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(Invalid):
        canonical({"v": value})


@given(values)
def test_canonical_bytes_read_back_and_written_again_are_the_same(value):
    once = canonical(value)
    assert canonical(orjson.loads(once)) == once


@given(st.dictionaries(texts, values, max_size=6), st.randoms())
def test_the_order_in_which_keys_arrive_changes_nothing(value, random):
    items = list(value.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


@given(values, values)
def test_two_contents_have_one_text_only_when_they_are_equal(first, second):
    same = canonical(first) == canonical(second)
    assert same == (json.dumps(plain(first), sort_keys=True) == json.dumps(plain(second), sort_keys=True))


@given(values)
def test_the_hash_depends_on_the_data_alone_and_not_on_its_spelling(value):
    spelled = json.loads(json.dumps({**EVENT, "data": value}))
    assert content_hash(spelled) == content_hash({**EVENT, "data": value})


@pytest.mark.parametrize("name", ["recordedtime", "traceparent", "tracestate"])
def test_the_hash_ignores_what_a_resend_may_change(name):
    assert content_hash({**EVENT, name: "anything"}) == content_hash(EVENT)


@pytest.mark.parametrize("name", ["id", "source", "type", "time", "subject", "custom", "correlationid"])
def test_the_hash_sees_every_other_attribute(name):
    assert content_hash({**EVENT, name: "anything"}) != content_hash(EVENT)


@given(values)
def test_the_fast_way_and_the_slow_way_write_the_same_bytes(value):
    whole = {"data": value, "id": "1.0,2"}
    assert canonical(whole) == orjson.dumps(plain(whole), option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(
    "value",
    [
        {"v": -0.0}, {"v": 1.0}, {"v": [1.0, 2.0]}, {"t": "1.0,", "v": 2.0}, {"t": 'a"1.0}', "v": 3.0}, {"t": "x.0]"},
        {"v": 2.0**53}, {"v": 2.0**53 - 2}, {"v": -(2.0**53)}, {"v": 1e15}, {"v": 1e16}, {"v": 1e22},
        {"v": None, "w": 4.0},
        {"k.0,": 1.0}, {"v": 10.05, "w": 100.0}, {"v": 1234567890123456.0}, {"t": "\\", "v": 5.0}, {"v": (6.0, 7)},
    ],
)  # fmt: skip
def test_awkward_numbers_and_texts_are_written_as_the_slow_way_does(value):
    assert canonical(value) == orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
