"""Few lots, diagnostics of a ranking, and the next-best test."""

import math

import numpy as np
import pytest

from projections.mathematics.answers import NoAnswer
from projections.mathematics.limits.lots import lower_limit
from projections.mathematics.mixed.averaged import averaged
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.estimable import information_gain, islands, normal
from projections.mathematics.mixed.model import fit
from projections.mathematics.moments.exact import Tally
from tests.mathematics.plants import plant


def test_averaging_widens_the_effects_of_few_lots_and_keeps_their_order():
    p = plant(2, lots=6, motors=36)
    found = fit(p.state(), "y", p.benches, {"lot": p.lots})
    grid = averaged(found, "lot")
    single = found.effects["lot"]
    means, sds = zip(*(grid.effect(level) for level in single.levels), strict=True)
    assert np.argsort(means).tolist() == np.argsort(single.value).tolist()
    assert np.mean(sds) > 0.98 * single.pev_sd.mean()
    worst = single.levels[int(single.value.argmin())]
    chances = [grid.below(worst, limit) for limit in (-1e3, 0.0, 1e3)]
    assert chances == sorted(chances) and chances[0] < 1e-6 and chances[2] > 1 - 1e-6
    assert grid.weights.sum() == pytest.approx(1.0)


def test_a_bound_for_a_new_lot_agrees_with_the_generalized_pivot_when_balanced():
    rng = np.random.default_rng(3)
    lots = [np.rint(100 * (rng.normal() + rng.normal(0, 0.8, 8))) for _ in range(14)]
    names = [f"l{k}" for k in range(14)]
    rows = np.column_stack([np.repeat(np.eye(14), 8, axis=0), np.ones(112), np.concatenate(lots)])
    found = fit(CrossProducts.of_rows([*names, "1", "y"], rows), "y", ["1"], {"lot": names})
    bound = averaged(found, "lot").new_unit_bound({"1": 1.0}, 0.9, 0.95, np.random.Generator(np.random.Philox(1)))
    pivot = lower_limit([Tally.of(lot.astype(int).tolist()) for lot in lots], 0.9, 0.95)
    assert bound == pytest.approx(pivot.limit, abs=0.12 * abs(pivot.limit - pivot.mean))
    assert bound < pivot.ignoring_lots


def test_averaging_asks_for_a_restricted_likelihood():
    p = plant(2)
    with pytest.raises(NoAnswer):
        averaged(fit(p.state(), "y", p.benches, {"lot": p.lots}, "ml"), "lot")


def test_a_lot_is_worth_at_most_its_own_motors_and_no_less_than_nothing():
    p = plant(6)
    found = fit(p.state().scale(dict.fromkeys(p.lots, 0.125)), "y", p.benches, {"lot": p.lots})
    worth = found.effects["lot"].effective_motors(found.residual)
    motors = (p.shares / 8).sum(axis=0)
    assert (worth >= 0).all() and (worth <= motors + 1e-6).all()


def test_a_test_that_connects_two_islands_gains_more_than_any_other():
    rows = [[1, 0, 1, 0, 5], [1, 0, 1, 0, 6], [0, 1, 0, 1, 8], [0, 1, 0, 1, 7]]
    cross = CrossProducts.of_rows(["a", "b", "u", "v", "y"], rows)
    assert len(islands(cross, ["a", "b"], ["u", "v"])) == 2
    solved = normal(cross, "y", ["a", "b", "u", "v"])
    assert information_gain(solved, {"a": 1.0, "v": 1.0}) == math.inf
    assert information_gain(solved, {"a": 1.0, "u": 1.0}) == pytest.approx(math.log(1.5))
