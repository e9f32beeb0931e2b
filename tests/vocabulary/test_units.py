"""Units: conversions that the field uses, aliases, and refusals that name the near matches."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import Invalid
from events.vocabulary import unit_names
from events.vocabulary.units import UNITS, convert, convert_difference, unit


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1.0, "kOe", "kA/m", 79.5775), (20.0, "kOe", "kA/m", 1591.55), (13.2, "kG", "T", 1.32),
        (1.0, "MGOe", "kJ/m3", 7.95775), (1.0, "kA/m", "Oe", 12.5664), (293.15, "K", "Cel", 20.0),
        (140.0, "°C", "K", 413.15), (0.95, "1", "%", 95.0), (1200.0, "[ppm]", "%", 0.12), (50.0, "Hz", "/min", 3000.0),
        (1500.0, "rpm", "Hz", 25.0), (90.0, "min", "h", 1.5), (2.0, "d", "h", 48.0), (100.0, "V/krpm", "mV.min", 100.0),
        (-0.0012, "/K", "%/K", -0.12), (7500.0, "kg/m3", "g/cm3", 7.5), (0.5, "pp", "%", 0.5), (2.0, "wt %", "%", 2.0),
        (180.0, "deg", "rad", math.pi), (25.0, "um", "mm", 0.025), (1.5, "kW", "W", 1500.0),
    ],
)  # fmt: skip
def test_a_value_is_converted_within_its_dimension(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-5)


def test_an_uncertainty_of_a_temperature_has_no_offset():
    assert convert_difference(3.0, "K", "Cel") == 3.0
    assert convert_difference(3.0, "Cel", "K") == 3.0


@pytest.mark.parametrize(
    ("code", "near"),
    [("ka/m", "kA/m"), ("Nm", "N.m"), ("celsius", None), ("mm/S", "mm/s"), ("KA/M", "kA/m"), ("t", "t")],
)
def test_an_unknown_unit_is_refused_with_its_near_matches(code, near):
    if near == code:
        assert unit(code).code == code
        return
    with pytest.raises(Invalid) as refused:
        unit(code)
    assert near is None or near in refused.value.detail
    assert refused.value.detail.endswith(".")


def test_a_newton_metre_is_never_read_from_nm():
    with pytest.raises(Invalid):
        unit("Nm")


def test_another_dimension_is_refused_by_what_it_measures():
    with pytest.raises(Invalid, match="measures energy product, where flux density is meant; write it in T"):
        convert(1.0, "MGOe", "T")


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.floats(-1e6, 1e6))
def test_converting_there_and_back_changes_nothing(source, target, value):
    if UNITS[source].dimension == UNITS[target].dimension:
        back = convert(convert(value, source, target), target, source)
        assert back == pytest.approx(value, rel=1e-9, abs=1e-6)


def test_each_dimension_has_one_canonical_unit():
    dimensions = {row.dimension for row in UNITS.values()}
    canonical = [row.dimension for row in UNITS.values() if (row.factor, row.offset) == (1.0, 0.0)]
    assert sorted(canonical) == sorted(dimensions)


def test_the_exchange_table_names_each_unit_once_in_three_dialects():
    for column in ("ucum", "rec20", "samm"):
        names = [getattr(row, column) for row in unit_names.NAMES]
        assert len(set(names)) == len(names)
    assert {row.ucum for row in unit_names.NAMES} <= set(UNITS)
    assert unit_names.of_rec20("KGM").ucum == "kg"
    assert unit_names.of_samm("unit:millimetre").rec20 == "MMT"
    assert unit_names.of_ucum("Cel").rec20 == "CEL"
    with pytest.raises(Invalid, match="KGM"):
        unit_names.of_rec20("KGN")
