"""Genealogy: traces in both directions with fractions, custody, cycles, late links, conflicts, rotors."""

import pytest
from msgspec.structs import replace

from projections.folds.genealogy import GENEALOGY, Evidence, Lot, LotLink, Motor, MotorLot, Party, SourceChange
from projections.folds.genealogy.cycles import on_cycles
from projections.folds.genealogy.trace import CYCLE, ancestors, counting, descendants, motors_of, shares_of
from tests.folds.dictionaries import fold_all
from tests.folds.plants import at, event, recorded, ref


def lot(name, *inputs, level="alloy", hour=1, id=None, **more):
    parts = [
        {"lot": ref(parent), "mass_fraction": share, **({"custody_model": custody[0]} if custody else {})}
        for parent, share, *custody in inputs
    ]
    data = {"lot": ref(name), "level": level, "supplier": ref("s"), "site": "S", "produced_at": at(hour)}
    return event("lots.lot_registered", id or f"lot-{name}", hour, {**data, "inputs": parts, **more})


def built(name, magnets, id=None, hour=2):
    shares = None if magnets is None else [{"lot": ref(one), "pieces": count} for one, count in magnets.items()]
    data = {"motor": ref(name), "motor_type": ref("T"), "built_at": at(hour), "magnets": shares}
    return event("motors.motor_built", id or f"built-{name}", hour, data)


WRONG = lot("a", ("x", 1.0), id="wrong")


class Home:
    """The folded rows, and the lookups that a trace asks."""

    def __init__(self, *posted):
        self.rows = fold_all(GENEALOGY, recorded(posted))

    def of(self, kind):
        return self.rows.tables[kind]

    def get(self, kind, *key):
        return self.rows.tables[kind].get(key)

    def parents(self, lots):
        return [link for link in self.of(LotLink).values() if link.child in lots]

    def children(self, lots):
        return [link for link in self.of(LotLink).values() if link.parent in lots]

    def motors(self, lots):
        return [row for row in self.of(MotorLot).values() if row.lot in lots]


def chain():
    return Home(
        lot("works", level="ore"),
        lot("oxide", ("works", 1.0), level="oxide"),
        lot("metal-1", ("oxide", 1.0), level="metal"),
        lot("metal-2", level="metal"),
        lot("alloy", ("metal-1", 0.6), ("metal-2", 0.4, "controlled_blending")),
        lot("magnet", ("alloy", 1.0), level="magnet"),
        lot("other", ("alloy", 0.5), ("metal-2", 0.5), level="magnet"),
        built("M1", {"magnet": 12, "other": 4}),
        built("M2", {"other": 8}),
    )


def test_a_magnet_is_traced_up_to_the_mine_with_fractions():
    found = {item.lot: item for item in ancestors({"works:magnet": 1.0}, chain().parents)}
    assert {name: (item.fraction, item.depth) for name, item in found.items()} == {
        "works:alloy": (1.0, 1),
        "works:metal-1": (0.6, 2),
        "works:metal-2": (0.4, 2),
        "works:oxide": (0.6, 3),
        "works:works": (0.6, 4),
    }
    assert all(item.counts and item.why is None for item in found.values())


def test_a_motor_is_traced_up_by_pieces_and_several_ways_add_up():
    home = chain()
    starts = shares_of(row for row in home.of(MotorLot).values() if row.motor == "works:M1")
    assert starts == {"works:magnet": 0.75, "works:other": 0.25}
    found = {item.lot: item.fraction for item in ancestors(starts, home.parents)}
    assert found["works:metal-2"] == pytest.approx(0.75 * 0.4 + 0.25 * (0.5 * 0.4 + 0.5))
    assert found["works:works"] == pytest.approx(0.75 * 0.6 + 0.25 * 0.5 * 0.6)


def test_a_mine_is_traced_down_to_motors_and_both_directions_agree():
    home = chain()
    down = {item.lot: item.fraction for item in descendants("works:works", home.children)}
    up = {item.lot: item.fraction for item in ancestors({"works:other": 1.0}, home.parents)}
    assert down["works:other"] == pytest.approx(up["works:works"])
    shares: dict[str, float] = {}
    for item in motors_of("works:works", home.children, home.motors):
        shares[item.motor] = shares.get(item.motor, 0.0) + (item.fraction or 0.0)
    assert shares == pytest.approx({"works:M1": 0.75 * 0.6 + 0.25 * 0.3, "works:M2": 0.3})


@pytest.mark.parametrize("custody", ["mass_balance", "book_and_claim", "segregated"])
def test_bookkeeping_links_are_shown_and_count_nowhere(custody):
    home = Home(lot("ore", level="ore"), lot("alloy", ("ore", 1.0, custody)), lot("magnet", ("alloy", 1.0)))
    alloy, ore = ancestors({"works:magnet": 1.0}, home.parents)
    assert (alloy.lot, alloy.counts) == ("works:alloy", True)
    assert (ore.lot, ore.fraction, ore.counts, ore.why) == ("works:ore", 1.0, False, custody)
    assert ore.composition is (custody == "segregated")


def test_a_lot_reached_by_a_counting_and_a_bookkeeping_way_counts_by_the_first_only():
    home = Home(
        lot("ore", level="ore"),
        lot("a", ("ore", 1.0)),
        lot("b", ("ore", 1.0, "book_and_claim")),
        lot("m", ("a", 0.3), ("b", 0.7)),
    )
    ore = next(item for item in ancestors({"works:m": 1.0}, home.parents) if item.lot == "works:ore")
    assert (ore.fraction, ore.counts) == (0.3, True)


def test_a_cycle_is_stored_and_shown_and_its_links_count_nowhere():
    home = Home(
        lot("a", ("b", 1.0)), lot("b", ("c", 1.0)), lot("c", ("a", 0.5), ("ore", 0.5)), lot("ore", level="ore"),
        lot("magnet", ("a", 1.0), level="magnet"),
    )  # fmt: skip
    found = {item.lot: item for item in ancestors({"works:magnet": 1.0}, home.parents)}
    assert set(found) == {"works:a", "works:b", "works:c", "works:ore"}
    assert found["works:a"].counts and found["works:a"].fraction == 1.0
    assert [found[f"works:{name}"].why for name in ("b", "c", "ore")] == [CYCLE] * 3
    verdicts = {(item.link.child, item.link.parent): item.why for item in counting(home.of(LotLink).values())}
    assert verdicts["works:c", "works:ore"] is None
    assert [key for key, why in verdicts.items() if why == CYCLE] == [
        ("works:a", "works:b"), ("works:b", "works:c"), ("works:c", "works:a"),
    ]  # fmt: skip
    assert {item.lot for item in descendants("works:ore", home.children)} == {
        f"works:{n}" for n in ("a", "b", "c", "magnet")
    }


def test_cycles_are_found_whatever_the_order_and_however_long():
    ring = [(str(n), str((n + 1) % 5000)) for n in range(5000)]
    tail = [("x", "0"), ("10", "y")]
    assert on_cycles([*tail, *ring]) == on_cycles(reversed([*ring, *tail])) == frozenset(ring)
    assert on_cycles([("a", "a"), ("a", "b")]) == {("a", "a")}


def test_a_link_that_arrives_late_is_there_the_moment_it_arrives():
    early = Home(built("M", {"magnet": 4}), lot("magnet", ("alloy", 1.0)))
    assert [item.lot for item in ancestors({"works:magnet": 1.0}, early.parents)] == ["works:alloy"]
    late = Home(built("M", {"magnet": 4}), lot("magnet", ("alloy", 1.0)), lot("alloy", ("ore", 1.0)))
    assert [item.lot for item in ancestors({"works:magnet": 1.0}, late.parents)] == ["works:alloy", "works:ore"]


def test_fractions_under_0_995_are_incomplete_and_an_ore_needs_none():
    home = Home(lot("a", ("o", 0.994)), lot("b", ("o", 0.996)), lot("o", level="ore"), lot("c"))
    incomplete = {row.lot for row in home.of(Lot).values() if row.incomplete}
    assert incomplete == {"works:a", "works:c"}


def test_two_facts_for_one_lot_are_a_shown_conflict_and_the_lower_holds():
    home = Home(lot("a", ("x", 1.0), id="later", hour=5), lot("a", ("y", 1.0), id="earlier", hour=4))
    row = home.get(Lot, "works:a")
    assert row.conflict and row.event_id == "earlier"
    assert set(home.of(LotLink)) == {("works:a", "works:y")}


def test_a_replaced_lot_leaves_no_link_behind_whichever_arrives_first():
    wrong = lot("a", ("x", 1.0), id="wrong", hour=1)
    right = lot("a", ("y", 1.0), id="right", hour=9, replaces={"source": "/plant", "id": "wrong"})
    for posted in ((wrong, right), (right, wrong)):
        home = Home(*posted)
        assert set(home.of(LotLink)) == {("works:a", "works:y")}
        assert not home.get(Lot, "works:a").conflict


def test_a_fact_may_be_replaced_by_one_of_another_thing():
    wrong = built("M1", {"a": 4}, id="wrong")
    right = event("motors.motor_built", "right", 3, {**built("M2", {"a": 4})["data"],
                  "replaces": {"source": "/plant", "id": "wrong"}})  # fmt: skip
    for posted in ((wrong, right), (right, wrong)):
        assert set(Home(*posted).of(Motor)) == {("works:M2",)}


def test_only_the_same_source_replaces():
    """The door refuses it; a log that holds one all the same keeps both facts."""
    right = lot("a", ("y", 1.0), id="right", hour=0, replaces={"source": "/plant", "id": "wrong"})
    told = [replace(one, source="/other") if one.id == "right" else one for one in recorded([WRONG, right])]
    assert fold_all(GENEALOGY, told).tables[Lot]["works:a",].conflict
    assert not Home(WRONG, right).get(Lot, "works:a").conflict


def test_a_replaced_rotor_is_the_current_one_and_the_former_stays_known():
    swap = {
        "motor": ref("M"),
        "replaced_at": at(9),
        "reason": "Balancing.",
        "magnets": [{"lot": ref("b"), "pieces": 6}],
    }
    home = Home(built("M", {"a": 6}), event("motors.rotor_replaced", "swap", 9, swap))
    assert home.get(Motor, "works:M").magnets == [{"lot": "works:b", "pieces": 6}]
    assert [rotor["magnets"][0]["lot"] for rotor in home.get(Motor, "works:M").rotors] == ["works:a", "works:b"]
    assert {row.lot: row.current for row in home.of(MotorLot).values()} == {"works:a": False, "works:b": True}


def test_unknown_lots_are_null_and_no_lot_has_the_motor():
    home = Home(built("M", None))
    assert home.get(Motor, "works:M").magnets is None and home.of(MotorLot) == {}


def test_parties_source_changes_and_evidence_are_kept():
    party = {"party": ref("s"), "name": "S Ltd", "kinds": ["supplier"], "sites": [{"site": "One", "country": "NO"}]}
    change = {"supplier": ref("s"), "change": "C1", "site": "One", "level": "oxide", "kind": "source", "before": "A",
              "after": "B", "first_lot": ref("OX")}  # fmt: skip
    proof = {"supplier": ref("s"), "evidence": "E1", "standard": "ISO 22095", "edition": "2020", "holder": "S Ltd",
             "scope": "oxide", "change": "C1"}  # fmt: skip
    home = Home(
        event("parties.party_registered", "p", 1, party),
        event("parties.party_retired", "r", 2, {"party": ref("s"), "reason": "Merged."}),
        event("sources.source_changed", "c", 1, change),
        event("sources.evidence_recorded", "e", 1, proof),
    )
    assert home.get(Party, "works:s").retired
    assert home.get(SourceChange, "works:s", "C1").first_lot == "works:OX"
    assert home.get(Evidence, "works:s", "E1").change == "C1"
