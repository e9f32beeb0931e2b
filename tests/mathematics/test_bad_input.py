"""Bad input gets a named answer with its reason: no NaN, no warning, no exception type of a library."""

import warnings

import numpy as np
import pytest

from projections.mathematics.answers import NoAnswer
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.model import fit
from projections.mathematics.mixed.unshrunken import unshrunken
from tests.mathematics import bad_models, bad_others
from tests.mathematics.plants import plant

CASES = {**bad_models.CASES, **bad_others.CASES}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_by_name_and_reason_without_a_warning(name):
    code, act = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NoAnswer) as refusal:
            act()
    assert refusal.value.code == code and refusal.value.detail.endswith(".")


@pytest.mark.parametrize("outlier", [1e6, -1e6])
def test_an_outlier_of_a_million_sigma_moves_the_answer_but_breaks_nothing(outlier):
    p = plant(3)
    rows = p.rows()
    rows[7, -1] = outlier * 15
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(CrossProducts.of_rows(p.names, rows), "y", p.benches, {"lot": p.lots})
    assert np.isfinite(found.effects["lot"].pev_sd).all() and found.residual > 1e8


def test_an_offset_of_ten_to_the_eight_is_refused_unless_it_is_the_fixed_origin():
    p = plant(4)
    rows = p.rows()
    plain = fit(CrossProducts.of_rows(p.names, rows), "y", ["1"], {"lot": p.lots, "bench": p.benches})
    rows[:, -1] += 1e8
    with pytest.raises(NoAnswer, match="fixed origin") as refusal:
        fit(CrossProducts.of_rows(p.names, rows), "y", ["1"], {"lot": p.lots, "bench": p.benches})
    assert refusal.value.code == "ill_conditioned"
    rows[:, -1] -= 1e8
    again = fit(CrossProducts.of_rows(p.names, rows), "y", ["1"], {"lot": p.lots, "bench": p.benches})
    assert again.criterion == plain.criterion


def test_motors_all_mixed_in_one_ratio_leave_lots_inseparable_and_say_so():
    rng = np.random.default_rng(5)
    rows = np.column_stack([np.full(30, 3.0), np.full(30, 5.0), np.ones(30), rng.integers(-50, 50, 30)])
    found = unshrunken(CrossProducts.of_rows(["a", "b", "1", "y"], rows), "y", ["1"], ["a", "b"])
    assert found.estimable == (False, False) and found.value == (None, None)


def test_badly_conditioned_columns_are_refused_or_solved_but_never_silently_wrong():
    x = np.linspace(0, 1, 40)
    lot = ["a", "b"] * 20
    table = np.column_stack([x**k for k in range(11)])
    y = table @ np.ones(11) + np.random.default_rng(1).normal(0, 0.1, 40)
    z = np.array([[v == "a", v == "b"] for v in lot], dtype=float)
    names = ["a", "b", *[f"x{k}" for k in range(11)], "y"]
    cross = CrossProducts.of_rows(names, np.column_stack([z, table, y]))
    with pytest.raises(NoAnswer) as refusal:
        fit(cross, "y", names[2:-1], {"lot": ["a", "b"]}, intercept="x0")
    assert refusal.value.code in {"ill_conditioned", "not_estimable"}
