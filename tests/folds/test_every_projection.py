"""What every projection keeps, found by reflection: in pieces, in any order, on golden events, and when corrected."""

import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from examples.prius.fleet import plant as prius
from examples.simulated.generate import simulate
from projections.folds import all_projections
from tests.folds.dictionaries import DictRows, fold_all, fold_together, state_digest
from tests.folds.plants import arrivals, event, golden, is_test, plants, recorded, ref, resent

ALL = all_projections()
FREE = [projection for projection in ALL if projection.order_free]
FACTS = [one for one in FREE if one.name != "audit"]
by_name = pytest.mark.parametrize("projection", ALL, ids=lambda one: one.name)
free_by_name = pytest.mark.parametrize("projection", FREE, ids=lambda one: one.name)
facts_by_name = pytest.mark.parametrize("projection", FACTS, ids=lambda one: one.name)
modest = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rows_of(rows: DictRows) -> dict:
    return {kind.__name__: table for kind, table in rows.tables.items()}


@pytest.fixture(scope="module")
def fleet():
    return list(simulate(prius()).events)


def test_the_projections_are_those_of_the_design():
    named = {"genealogy", "certificates", "specbook", "correlation", "lifetimes", "cases", "feeds", "audit"}
    assert {projection.name for projection in ALL} == named
    assert {projection.name for projection in FACTS} == {"genealogy", "certificates", "correlation", "lifetimes"}


@by_name
def test_every_row_is_a_frozen_dataclass_of_plain_values_and_survives_json(projection):
    for kind, table in fold_all(projection, golden()).tables.items():
        assert set(kind.__key__) | set(kind.__undigested__) <= set(kind.__struct_fields__)
        for row in table.values():
            values = asdict(row)
            assert json.loads(json.dumps(values)) == values
            assert all(getattr(row, name) is not None for name in kind.__key__)


@by_name
def test_every_golden_event_folds(projection):
    seen = [one for one in golden() if one.type in projection.types]
    assert seen
    fold_all(projection, seen)


@by_name
def test_folding_at_once_is_folding_in_pieces(projection):
    events = golden()
    once = fold_all(projection, events)
    for cut in range(0, len(events), 7):
        pieces = fold_all(projection, events[cut:], fold_all(projection, events[:cut]))
        assert rows_of(pieces) == rows_of(once)


@by_name
@modest
@given(plants(), st.integers(1, 9))
def test_folding_many_together_is_folding_one_after_the_other(projection, posted, size):
    events = arrivals([*golden(), *recorded(posted)])
    together = DictRows(projection.row_types)
    for start in range(0, len(events), size):
        fold_together(projection, events[start : start + size], together)
    assert rows_of(together) == rows_of(fold_all(projection, events))


@by_name
def test_known_but_irrelevant_types_change_nothing(projection):
    relevant = [one for one in golden() if one.type in projection.types]
    assert rows_of(fold_all(projection, golden())) == rows_of(fold_all(projection, relevant))


@free_by_name
@modest
@given(plants(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_leaves_the_same_state(projection, posted, chance):
    events = recorded(posted)
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert state_digest(fold_all(projection, arrivals(shuffled))) == state_digest(fold_all(projection, events))


@facts_by_name
@modest
@given(plants(), st.randoms(use_true_random=False))
def test_a_voided_test_leaves_the_state_as_if_it_never_was(projection, posted, chance):
    tests = [one for one in posted if is_test(one) and chance.random() < 0.4]
    kept = [one for one in posted if one not in tests or one["data"].get("replaces")]
    gone = [one for one in tests if one not in kept]
    voids = [
        event("tests.test_voided", f"v{one['id']}", 600, {"motor": one["data"]["motor"],
              "test": {"source": one["source"], "id": one["id"]}, "reason": "Wrong motor."})
        for one in gone
    ]  # fmt: skip
    mixed = [*posted, *voids]
    chance.shuffle(mixed)
    assert state_digest(fold_all(projection, recorded(mixed))) == state_digest(fold_all(projection, recorded(kept)))


@facts_by_name
@modest
@given(plants(), st.randoms(use_true_random=False))
def test_tests_voided_and_sent_again_under_new_ids_leave_the_same_state(projection, posted, chance):
    plain = [one for one in posted if is_test(one) and not one["data"].get("replaces")]
    named = {one["data"]["replaces"]["id"] for one in posted if one["data"].get("replaces")}
    named |= {one["data"]["test"]["id"] for one in posted if "test" in one["data"]}
    chosen = [one for one in plain if one["id"] not in named and chance.random() < 0.5]
    again = resent(posted, chosen)
    chance.shuffle(again)
    assert state_digest(fold_all(projection, recorded(again))) == state_digest(fold_all(projection, recorded(posted)))


@facts_by_name
def test_the_example_in_three_orders_and_with_a_third_resent_has_one_digest(projection, fleet):
    once = state_digest(fold_all(projection, recorded(fleet)))
    for seed in (1, 2, 3):
        chance = Random(seed)
        chosen = [one for one in fleet if is_test(one) and chance.random() < 1 / 3]
        again = resent(fleet, chosen)
        chance.shuffle(again)
        assert state_digest(fold_all(projection, recorded(again))) == once


@facts_by_name
@modest
@given(plants(), st.randoms(use_true_random=False))
def test_shards_by_motor_fold_in_any_interleaving(projection, posted, chance):
    """Order between streams never counts: facts of each thing in their own order, things interleaved at will."""
    streams: dict[str, list] = {}
    for one in recorded(posted):
        streams.setdefault(one.stream, []).append(one)
    interleaved = []
    while streams:
        name = chance.choice(sorted(streams))
        interleaved.append(streams[name].pop(0))
        if not streams[name]:
            del streams[name]
    assert state_digest(fold_all(projection, arrivals(interleaved))) == state_digest(
        fold_all(projection, recorded(posted))
    )


def test_a_retired_motor_or_a_voided_life_is_no_state_of_the_lifetimes():
    lifetimes = next(one for one in ALL if one.name == "lifetimes")
    data = {"motor": ref("M"), "retired_at": "2026-03-01T00:00:00Z", "reason": "Worn."}
    rows = fold_all(lifetimes, recorded([event("motors.motor_retired", "r", 1, data)]))
    assert state_digest(rows) == state_digest(DictRows(lifetimes.row_types))
