"""Which way a limit went, in whatever unit it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.rules.changes import direction, loosens, moved, same_limits


def kam(lower=None, upper=None, target=None):
    return {"lower": lower, "target": target, "upper": upper, "unit": "kA/m"}


def am(limits):
    return {key: value * 1000 if isinstance(value, float | int) else value for key, value in limits.items()} | {
        "unit": "A/m"
    }


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        (None, kam(10), "added"),
        (kam(10), kam(11), "tightened"),
        (kam(10), kam(9), "loosened"),
        (kam(upper=10), kam(upper=9), "tightened"),
        (kam(upper=10), kam(upper=11), "loosened"),
        (kam(10), kam(10, 20), "tightened"),
        (kam(10, 20), kam(10), "loosened"),
        (kam(10, 20), kam(11, 19), "tightened"),
        (kam(10, 20), kam(9, 21), "loosened"),
        (kam(10, 20), kam(11, 21), "changed"),
        (kam(10, target=12), kam(10, target=13), "changed"),
        (kam(10), None, "loosened"),
    ],
)
def test_a_change_has_a_direction(old, new, way):
    assert direction(old, new) == way
    if new is not None and old is not None:
        assert direction(am(old), new) == direction(old, am(new)) == way


def test_a_limit_that_is_tightened_on_one_side_and_loosened_on_the_other_loosens():
    assert loosens(kam(10, 20), kam(11, 21))
    assert not loosens(kam(10, 20), kam(11, 19))
    assert loosens(kam(10), None)
    assert not loosens(None, kam(10))


bound = st.none() | st.floats(1, 1e4)


@given(bound, bound)
def test_limits_are_the_same_in_two_units(lower, upper):
    limits = kam(lower, upper)
    assert same_limits(limits, am(limits)) and same_limits(am(limits), limits)
    assert not moved(limits, am(limits), 0.0)


@given(bound, bound, bound, bound)
def test_the_way_back_is_the_other_way(lower, upper, low, up):
    old, new = kam(lower, upper), kam(low, up)
    opposite = {"tightened": "loosened", "loosened": "tightened", "changed": "changed"}
    assert direction(new, old) == opposite[direction(old, new)]


def test_a_bound_that_appears_or_goes_has_moved():
    assert moved(kam(10), kam(10, 20), 0.5) and moved(kam(10, 20), kam(10), 0.5) and moved(None, kam(10), 0.5)
    assert not moved(None, None, 0.5)


def test_a_move_away_from_zero_is_a_move():
    assert moved(kam(0), kam(0.001), 0.5)
