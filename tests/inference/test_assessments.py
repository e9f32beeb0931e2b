"""Certificates against the revision effective for their lot, and what a lot inherits from its parents."""

from dataclasses import replace
from typing import Any

import pytest

from events.rules.policies import Policy
from projections.inference.assessments import assess_lots, effective
from projections.inference.chain.properties import at_temperature, properties
from projections.inference.chain.sourcing import affected
from projections.inference.state import Change, EventId, Link, Lot, Measurement, Plant, SpecInForce

POLICY = Policy()
ITEM, MAKER = "works:MAG", "maker:maker"


def lot(name: str, made: str = "2026-03-01T00:00:00Z", level: str = "magnet") -> Lot:
    return Lot(f"maker:{name}", level, MAKER, "S1", made, ITEM if level == "magnet" else None)


def reading(value: float, u: float | None = 15.0, name: str = "M1", **more: Any) -> Measurement:
    content: dict[str, Any] = {"characteristic": "magnet.HcJ", "event": EventId("/s", f"cert-{name}"), **more}
    return Measurement(f"maker:{name}", value=value, u=u, **content)


def spec(revision: int = 1, date: str = "2026-01-01", lower: float = 1900.0, **more: Any) -> SpecInForce:
    scope = more.pop("scope", ())
    limit = {"characteristic": "magnet.HcJ", "limits": {"lower": lower, "unit": "kA/m"}, **more}
    data = {
        "spec": {"issuer": "works", "id": "S"}, "revision": revision, "level": "magnet",
        "item": {"issuer": "works", "id": "MAG"}, "suppliers": [], "limits": [limit], "effectivity": {"date": date},
        "reason": "Because.",
    }  # fmt: skip
    return SpecInForce("works:S", revision, "magnet", ITEM, scope, data)


def plant(*measurements: Measurement, links: tuple[Link, ...] = (), lots: tuple[Lot, ...] = (lot("M1"),)) -> Plant:
    return Plant({item.lot: item for item in lots}, links, measurements)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (1960.0, "conform"),
        (1924.7, "conform"),
        (1924.6, "inconclusive"),
        (1880.0, "inconclusive"),
        (1875.0, "nonconform"),
    ],
)
def test_a_guard_band_of_082_U_decides(value: float, result: str):
    (found,) = assess_lots(plant(reading(value)), [spec()], ["maker:M1"], POLICY)
    assert found.result == result and found.acceptance is not None
    assert found.acceptance.lower == pytest.approx(1900.0 + 1.645 * 15.0)


def test_shared_risk_knows_no_doubt():
    (good,) = assess_lots(plant(reading(1900.0)), [spec(decision_rule="shared_risk")], ["maker:M1"], POLICY)
    (bad,) = assess_lots(plant(reading(1899.9)), [spec(decision_rule="shared_risk")], ["maker:M1"], POLICY)
    assert (good.result, bad.result) == ("conform", "nonconform")


def test_a_missing_uncertainty_is_the_policy_s_share_of_the_value():
    (found,) = assess_lots(plant(reading(2000.0, None)), [spec()], ["maker:M1"], POLICY)
    assert found.value.u == pytest.approx(0.015 * 2000.0) and "by policy" in found.reason


def test_a_lot_answers_to_the_newest_revision_that_was_effective_when_it_was_made():
    revisions = [spec(1), spec(2, "2026-02-01", 1950.0), spec(3, "2026-06-01", 2050.0)]
    (found,) = assess_lots(plant(reading(2000.0)), revisions, ["maker:M1"], POLICY)
    assert found.revision == 2 and found.limits.lower == 1950.0
    before = lot("M1", "2025-12-01T00:00:00Z")
    assert effective(revisions, before, frozenset({ITEM}), {}) == ()


def test_a_first_lot_binds_from_that_lot_on_whatever_the_date():
    first = spec(2, "2027-01-01", 1950.0)
    first.data["effectivity"]["first_lot"] = {"issuer": "maker", "id": "M1"}
    lots = {"maker:M1": lot("M1"), "maker:M0": lot("M0", "2026-02-01T00:00:00Z")}
    assert effective([first], lots["maker:M1"], frozenset({ITEM}), lots) == (first,)
    assert effective([first], lots["maker:M0"], frozenset({ITEM}), lots) == ()


def test_a_specification_of_another_supplier_or_item_does_not_bind():
    other = spec(scope=("else:else",))
    assert assess_lots(plant(reading(2000.0)), [other], ["maker:M1"], POLICY) == ()
    assert effective([spec()], lot("M1"), frozenset({"works:OTHER"}), {}) == ()


def test_a_reading_at_another_temperature_or_of_another_statistic_answers_nothing():
    hot = reading(620.0, temperature_Cel=150.0)
    spread = reading(40.0, statistic="minimum")
    assert assess_lots(plant(hot, spread), [spec()], ["maker:M1"], POLICY) == ()


def test_a_process_record_of_a_powder_lot_answers_to_the_item_of_the_magnets_made_from_it():
    powder = lot("P1", "2026-02-20T00:00:00Z", "powder")
    link = Link("maker:M1", "maker:P1", 1.0, "identity_preserved", True, True)
    milled = reading(2.6, 0.03, "P1", characteristic="process.D50")
    limit = {"characteristic": "process.D50", "limits": {"upper": 3.0, "unit": "um"}}
    text = replace(spec(), level="process", data={**spec().data, "level": "process", "limits": [limit]})
    found = assess_lots(plant(milled, links=(link,), lots=(lot("M1"), powder)), [text], ["maker:P1"], POLICY)
    assert [item.result for item in found] == ["conform"]


def test_composition_is_averaged_by_mass_fraction_over_counting_and_segregated_links_only():
    lots = (lot("M1"), lot("A1", level="alloy"), lot("A2", level="alloy"), lot("A3", level="alloy"))
    links = (
        Link("maker:M1", "maker:A1", 0.5, "controlled_blending", True, True),
        Link("maker:M1", "maker:A2", 0.25, "segregated", False, True),
        Link("maker:M1", "maker:A3", 0.25, "mass_balance", False, False),
    )
    dy = [reading(v, 0.03, n, characteristic="alloy.Dy") for v, n in ((2.0, "A1"), (1.0, "A2"), (9.0, "A3"))]
    known = properties(plant(*dy, links=links, lots=lots), ["maker:M1"], 0.015)
    assert known["maker:M1"]["alloy.Dy"].value == pytest.approx((0.5 * 2.0 + 0.25 * 1.0) / 0.75)
    assert known["maker:M1"]["alloy.Dy"].u == pytest.approx(0.03 * (0.25 + 0.0625) ** 0.5 / 0.75)


def test_a_magnet_property_is_never_inherited():
    lots = (lot("M1"), lot("M0"))
    link = Link("maker:M1", "maker:M0", 1.0, "identity_preserved", True, True)
    known = properties(plant(reading(1900.0, name="M0"), links=(link,), lots=lots), ["maker:M1"], 0.015)
    assert "magnet.HcJ" not in known["maker:M1"]


def test_certificate_and_inspection_are_averaged_by_their_uncertainty():
    both = plant(reading(2000.0, 20.0), reading(2060.0, 10.0, kind="inspection"))
    found = properties(both, ["maker:M1"], 0.015)["maker:M1"]["magnet.HcJ"]
    assert found.value == pytest.approx((2000.0 / 400 + 2060.0 / 100) / (1 / 400 + 1 / 100))
    assert found.u == pytest.approx((1 / 400 + 1 / 100) ** -0.5)


def test_a_reading_at_the_soak_temperature_is_found_there():
    hot = reading(615.0, 8.0, temperature_Cel=150.0)
    found = at_temperature([hot], "maker:M1", "magnet.HcJ", 150.5, 0.015)
    assert found is not None and found.value == 615.0
    assert at_temperature([hot], "maker:M1", "magnet.HcJ", 120.0, 0.015) is None


def test_a_changed_furnace_holds_for_later_work_and_a_changed_source_only_for_what_came_from_it():
    lots = {
        "maker:M1": lot("M1", "2026-03-01"),
        "maker:M0": lot("M0", "2026-02-01"),
        "maker:M2": lot("M2", "2026-04-01"),
    }
    furnace = Change(EventId("/s", "c"), "C", MAKER, "S1", "magnet", "furnace", "F1", "F2", "maker:M1", "2026-03-01")
    source = Change(EventId("/s", "d"), "D", MAKER, "S1", "magnet", "source", "X", "Y", "maker:M1", "2026-03-01")
    there = Plant(lots)
    assert [affected(furnace, name, there, {}) for name in sorted(lots)] == [False, True, True]
    assert [affected(source, name, there, {}) for name in sorted(lots)] == [False, True, False]
