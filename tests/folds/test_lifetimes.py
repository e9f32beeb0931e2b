"""Lifetimes: a motor's exposure counts once, failures by mode, exact sums by lot."""

from projections.folds.lifetimes import LIFETIMES, LotLife, MotorLife
from tests.folds.dictionaries import fold_all, state_digest
from tests.folds.plants import at, built, event, recorded, ref, void


def lived(id, hours, mode=None, name="M", hour=5, unit="h", **more):
    data = {"motor": ref(name), "bench": ref("B1"), "tested_at": at(hour), "why": "random", **more}
    kind, own = ("failure_observed", {"mode": mode}) if mode else ("survival_observed", {})
    return event(f"tests.{kind}", id, hour, {**data, **own, "life": {"value": hours, "unit": unit}})


def fold(*posted):
    return fold_all(LIFETIMES, recorded(posted))


def life(rows, name="M"):
    return rows.tables[MotorLife][f"works:{name}",]


def lots(rows):
    return {
        (row.lot.partition(":")[2], row.mode): (row.failed, row.exposure_ticks, row.motors)
        for row in rows.tables[LotLife].values()
    }


def test_the_longest_survival_is_the_exposure_and_it_counts_once():
    rows = fold(built(a=12, b=4), lived("1", 500), lived("2", 1000, hour=7), lived("3", 700, hour=6))
    assert (life(rows).life_h, life(rows).mode, life(rows).exposure_h) == (1000.0, None, 1000.0)
    assert lots(rows) == {("a", "*"): (0, 12 * 10_000, 1), ("b", "*"): (0, 4 * 10_000, 1)}


def test_a_failure_ends_the_exposure_and_is_counted_by_mode_and_pieces():
    rows = fold(built(a=12, b=4), lived("1", 30_000, "FM-MAG-DET", unit="min"), lived("2", 400))
    assert (life(rows).life_h, life(rows).mode) == (500.0, "FM-MAG-DET")
    assert lots(rows) == {
        ("a", "*"): (12, 60_000, 1), ("a", "FM-MAG-DET"): (12, 0, 1),
        ("b", "*"): (4, 20_000, 1), ("b", "FM-MAG-DET"): (4, 0, 1),
    }  # fmt: skip


def test_a_later_failure_in_another_mode_is_not_lost():
    rows = fold(built(a=4), lived("1", 500, "FM-BRG-MEC"), lived("2", 900, "FM-MAG-DET", hour=9), lived("3", 1200))
    row = life(rows)
    assert (row.life_h, row.mode, row.exposure_h) == (500.0, "FM-BRG-MEC", 1200.0)
    assert row.failures == [{"mode": "FM-BRG-MEC", "life_h": 500.0}, {"mode": "FM-MAG-DET", "life_h": 900.0}]


def test_a_life_waits_for_the_build_record_and_unknown_lots_are_shown_only():
    rows = fold(lived("1", 500))
    assert (life(rows).waiting, life(rows).life_h, lots(rows)) == (1, None, {})
    assert life(fold(built(), lived("1", 500))).records[0]["reason"] == "lots_unknown"
    assert state_digest(fold(lived("1", 500), built(a=4))) == state_digest(fold(built(a=4), lived("1", 500)))


def test_after_a_rotor_was_replaced_nobody_knows_how_long_the_new_magnets_ran():
    swap = {"motor": ref("M"), "replaced_at": at(10), "reason": "Balance.", "magnets": [{"lot": ref("b"), "pieces": 8}]}
    rows = fold(
        built(a=4), event("motors.rotor_replaced", "s", 10, swap), lived("1", 500, hour=9), lived("2", 900, hour=11)
    )
    assert [record["reason"] for record in life(rows).records] == [None, "rotor_replaced"]
    assert lots(rows) == {("a", "*"): (0, 20_000, 1)}


def test_a_voided_failure_leaves_the_survival_whichever_arrives_first():
    once = fold(built(a=4), lived("2", 400))
    for posted in ([lived("1", 100, "FM-MAG-DET"), void("v", "1")], [void("v", "1"), lived("1", 100, "FM-MAG-DET")]):
        rows = fold(built(a=4), lived("2", 400), *posted)
        assert state_digest(rows) == state_digest(once) and life(rows).gone[0]["fate"] == "voided"


def test_a_failure_may_be_replaced_by_a_survival_or_by_another_kind_of_result():
    survived = lived("2", 400, replaces={"source": "/plant", "id": "1"})
    assert life(fold(built(a=4), lived("1", 100, "FM-MAG-DET"), survived)).mode is None
    data = {k: v for k, v in lived("x", 1)["data"].items() if k != "life"}
    other = event("tests.vibration_measured", "2", 6, {**data, "velocity": {"value": 1, "unit": "mm/s"},
                  "replaces": {"source": "/plant", "id": "1"}})  # fmt: skip
    assert lots(fold(built(a=4), lived("1", 100, "FM-MAG-DET"), other)) == {}


def test_an_absurd_life_is_shown_and_summed_nowhere():
    rows = fold(built(a=4), lived("1", 1e300), lived("2", 400))
    assert [record["reason"] for record in life(rows).records] == ["out_of_range", None]
    assert lots(rows) == {("a", "*"): (0, 16_000, 1)}
