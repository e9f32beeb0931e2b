"""Facts: what each refuses about itself, and what it allows though it is incomplete."""

import copy
from typing import Any

import pytest

from events.errors import Invalid
from events.receive import receive
from tests.golden.pins import example

LOT = "lodestone.lots.lot_registered.v1"
BUILT = "lodestone.motors.motor_built.v1"
VIBRATION = "lodestone.tests.vibration_measured.v2"
SHARE = {"custody_model": "identity_preserved"}


def data(event) -> Any:
    return receive(event).data


def changed(event_type, **fields):
    event = copy.deepcopy(example(event_type))
    event["data"] |= fields
    return event


def refused(event, match):
    with pytest.raises(Invalid, match=match):
        receive(event)


def inputs(*fractions):
    return [{"lot": {"issuer": "x", "id": str(n)}, "mass_fraction": f} for n, f in enumerate(fractions)]


def test_mass_fractions_up_to_1_005_are_allowed():
    receive(changed(LOT, inputs=inputs(0.5, 0.505)))


def test_mass_fractions_over_1_005_are_refused():
    refused(changed(LOT, inputs=inputs(0.5, 0.506)), "may not pass 1.005")


def test_a_sum_under_0_995_is_stored_for_it_is_shown_as_incomplete():
    receive(changed(LOT, inputs=inputs(0.4)))


def test_a_lot_that_names_itself_as_input_is_refused():
    own = example(LOT)["data"]["lot"]
    refused(changed(LOT, inputs=[{"lot": own, "mass_fraction": 0.5}]), "names itself")


def test_an_input_named_twice_is_refused():
    refused(changed(LOT, inputs=inputs(0.4) * 2), "named twice")


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5])
def test_a_mass_fraction_lies_above_0_and_at_most_at_1(fraction):
    refused(changed(LOT, inputs=inputs(fraction)), "mass_fraction")


@pytest.mark.parametrize("pieces", [0, -4, 2.5, 4.0, "4", True, None])
def test_pieces_are_positive_integers(pieces):
    refused(changed(BUILT, magnets=[{"lot": {"issuer": "x", "id": "1"}, "pieces": pieces}]), "pieces")


def test_unknown_magnet_lots_are_allowed():
    assert data(changed(BUILT, magnets=None)).magnets is None


def test_an_empty_list_of_magnets_is_refused_for_unknown_is_null():
    refused(changed(BUILT, magnets=[]), "magnets")


def test_a_magnet_lot_named_twice_is_refused():
    share = {"lot": {"issuer": "x", "id": "1"}, "pieces": 2}
    refused(changed(BUILT, magnets=[share, share]), "named twice")


def test_an_unknown_magnet_temperature_is_allowed():
    received = data(changed(VIBRATION, magnet_temperature={"how": "unknown", "note": "no sensor"}))
    assert received.magnet_temperature.value is None


def test_a_test_that_says_nothing_of_the_magnet_temperature_leaves_it_unknown():
    event = example(VIBRATION)
    del event["data"]["magnet_temperature"]
    assert data(event).magnet_temperature.how == "unknown"


@pytest.mark.parametrize(
    "temperature",
    [
        {"how": "embedded_sensor"},
        {"how": "unknown", "value": {"value": 80, "unit": "Cel", "u": 1}},
        {"how": "embedded_sensor", "value": {"value": 80, "unit": "Cel"}},
    ],
)
def test_a_known_magnet_temperature_has_a_value_with_its_uncertainty(temperature):
    refused(changed(VIBRATION, magnet_temperature=temperature), "magnet_temperature")


def test_a_negative_uncertainty_is_refused():
    refused(changed(VIBRATION, velocity={"value": 1, "unit": "mm/s", "u": -0.1}), "velocity/u")


def test_a_reading_in_a_unit_of_another_dimension_is_refused():
    event = copy.deepcopy(example("lodestone.lots.lot_certified.v1"))
    event["data"]["measurements"][0]["value"]["unit"] = "T"
    refused(event, "kA/m")


def test_an_efficiency_over_100_percent_is_refused():
    refused(changed("lodestone.tests.efficiency_measured.v1", efficiency={"value": 101, "unit": "%"}), "100 %")


def test_an_unknown_failure_mode_is_refused_naming_near_matches():
    refused(changed("lodestone.tests.failure_observed.v1", mode="FM-MAG-DT"), "FM-MAG-DET")


def test_a_supplier_owns_its_lots_and_its_sources_and_nobody_owns_a_test():
    assert data(example(LOT)).owner() == "northgate"
    assert data(example("lodestone.sources.source_changed.v1")).owner() == "northgate"
    assert data(example(VIBRATION)).owner() is None
