"""What standards print: efficiency classes cell by cell, vibration, thermal classes, custody, action priority."""

import csv
from pathlib import Path

import pytest

from events.errors import Invalid
from events.vocabulary.standards import action_priority, custody, editions, efficiency, thermal, vibration

TABLE = Path(__file__).parent / "data" / "efficiency_classes.csv"


def test_the_formula_gives_every_cell_of_the_printed_table():
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [efficiency.printed_limit_pct(row["class"], float(row["power_kW"]), int(row["poles"])) for row in rows]
    assert len(rows) == 478
    assert found == [float(row["limit_pct"]) for row in rows]


@pytest.mark.parametrize(
    ("ie_class", "power", "poles", "limit"),
    [
        ("IE3", 15.0, 4, 92.1),
        ("IE4", 75.0, 4, 96.0),
        ("IE1", 1.5, 4, 77.2),
        ("IE5", 15.0, 4, 95.1),
        ("IE3", 500.0, 2, 95.8),
    ],
)
def test_a_limit_is_the_published_one(ie_class, power, poles, limit):
    assert efficiency.printed_limit_pct(ie_class, power, poles) == limit


def test_a_rating_between_the_two_tables_takes_the_nearer():
    assert efficiency.limit_pct("IE3", 0.60, 4) == efficiency.limit_pct("IE3", 0.55, 4)
    assert efficiency.limit_pct("IE3", 0.65, 4) == efficiency.limit_pct("IE3", 0.75, 4)


def test_an_efficiency_is_classified_by_the_printed_limits():
    named, margin = efficiency.classify(92.3, 15.0, 4)
    assert (named, round(margin, 3)) == ("IE3", 0.2)
    assert efficiency.classify(96.0, 15.0, 4)[0] == "IE5"
    named, margin = efficiency.classify(60.0, 15.0, 4)
    assert named is None and margin < 0.0


@pytest.mark.parametrize(
    ("ie_class", "power", "poles"),
    [("IE6", 15.0, 4), ("IE3", 0.05, 4), ("IE3", 2000.0, 4), ("IE3", 15.0, 10), ("IE1", 15.0, 8), ("IE4", 400.0, 6)],
)
def test_a_limit_that_is_not_known_is_refused(ie_class, power, poles):
    with pytest.raises(Invalid):
        efficiency.limit_pct(ie_class, power, poles)


@pytest.mark.parametrize(
    ("grade", "mounting", "height", "velocity"),
    [
        ("A", "free", 56, 1.6),
        ("A", "free", 132, 1.6),
        ("A", "rigid", 160, 1.8),
        ("B", "free", 315, 1.8),
        ("B", "rigid", 200, 0.9),
    ],
)
def test_a_vibration_grade_has_its_limit(grade, mounting, height, velocity):
    limit = vibration.grade_limit(grade, mounting, height)
    assert limit.velocity_mm_s == velocity
    assert limit.displacement_um == pytest.approx(velocity / (2 * 3.14159 * 10) * 1000, rel=0.06)
    assert limit.acceleration_m_s2 == pytest.approx(velocity * 2 * 3.14159 * 250 / 1000, rel=0.06)


@pytest.mark.parametrize(("grade", "mounting", "height"), [("B", "rigid", 100), ("C", "free", 100), ("A", "free", 40)])
def test_a_vibration_limit_that_is_not_printed_is_refused(grade, mounting, height):
    with pytest.raises(Invalid):
        vibration.grade_limit(grade, mounting, height)


def test_an_in_service_velocity_has_a_zone():
    scheme = "ISO 20816-3 group 2 rigid"
    assert [vibration.zone(scheme, velocity) for velocity in (1.0, 1.4, 2.0, 4.5, 9.0)] == ["A", "A", "B", "C", "D"]
    assert vibration.significant_change(scheme, 0.5, 1.3)
    assert not vibration.significant_change(scheme, 0.5, 1.1)
    with pytest.raises(Invalid):
        vibration.zone("ISO 1", 1.0)


def test_the_rise_falls_with_hotter_coolant_and_altitude():
    assert thermal.rise_limit_K(155) == 105.0
    assert thermal.rise_limit_K(155, coolant_Cel=50.0) == 95.0
    assert thermal.rise_limit_K(155, altitude_m=2000.0) == pytest.approx(94.5)
    with pytest.raises(Invalid):
        thermal.rise_limit_K(154)
    with pytest.raises(Invalid):
        thermal.rise_limit_K(155, altitude_m=5000.0)


def test_what_may_be_joined_follows_from_the_custody_model():
    joins = {name: (model.joins_origin, model.joins_composition) for name, model in custody.MODELS.items()}
    assert joins == {
        "identity_preserved": (True, True), "segregated": (False, True), "controlled_blending": (True, True),
        "mass_balance": (False, False), "book_and_claim": (False, False),
    }  # fmt: skip


def test_a_chain_has_the_weakest_model_of_its_links():
    assert custody.weakest(["identity_preserved", "mass_balance", "segregated"]).name == "mass_balance"
    assert custody.weakest(["identity_preserved", "segregated"]).name == "segregated"
    assert custody.blended_variance_share([0.25] * 4) == 0.25
    with pytest.raises(Invalid, match="identity_preserved"):
        custody.find("trust_me")
    with pytest.raises(Invalid):
        custody.weakest([])


@pytest.mark.parametrize(
    ("ratings", "priority"),
    [
        ((8, 5, 7), "H"), ((7, 3, 5), "M"), ((9, 1, 10), "L"), ((10, 6, 1), "H"), ((9, 4, 1), "M"), ((9, 2, 4), "L"),
        ((8, 6, 1), "M"), ((6, 8, 5), "H"), ((5, 6, 2), "M"), ((4, 5, 6), "L"), ((3, 10, 5), "M"), ((1, 10, 10), "L"),
        ((2, 7, 10), "L"), ((7, 5, 6), "M"), ((8, 2, 4), "L"),
    ],
)  # fmt: skip
def test_an_action_priority_is_the_table_s(ratings, priority):
    assert action_priority.action_priority(*ratings) == priority


def test_every_rating_has_a_priority_and_worse_never_has_a_lower_one():
    order = {"L": 0, "M": 1, "H": 2}
    every = range(1, 11)
    table = {(s, o, d): order[action_priority.action_priority(s, o, d)] for s in every for o in every for d in every}
    for (s, o, d), priority in table.items():
        for worse in ((s + 1, o, d), (s, o + 1, d), (s, o, d + 1)):
            assert table.get(worse, 2) >= priority
    with pytest.raises(Invalid):
        action_priority.action_priority(0, 1, 1)


def test_a_standard_has_its_current_edition():
    assert editions.find("IEC 60034-30-1").edition == "2025"
    assert "2014" in editions.find("IEC 60034-30-1").superseded
    with pytest.raises(Invalid, match="IEC 60034-2-1"):
        editions.find("IEC 60034-2")
