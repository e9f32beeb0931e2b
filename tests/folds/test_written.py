"""JSON that a fold made text of: a home keeps it as it is, and who reads the row gets the value."""

import json

from hypothesis import given
from hypothesis import strategies as st

from projections.folds.written import Written, read, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("a\u00e9\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_what_was_written_is_read_again_and_what_was_not_is_as_it_is(value):
    text = written(value)
    assert type(text) is Written and json.loads(text) == value
    assert read(value) is value


def test_integers_beyond_64_bits_are_written_as_they_are():
    assert written([2**70]) == f"[{2**70}]"


def test_the_text_of_a_row_is_read_as_the_value():
    assert read(written({"a": [1.0, "b"]})) == {"a": [1.0, "b"]}
