"""Mixed models against statsmodels and against dense generalized least squares on rows."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.sparse import csr_array

from projections.mathematics.answers import NoAnswer
from projections.mathematics.mixed.blocks import BlockProducts
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.intervals import held, profile_interval, zero_test
from projections.mathematics.mixed.model import fit
from projections.mathematics.mixed.repeats import fit_repeats
from projections.mathematics.mixed.unshrunken import unshrunken
from tests.mathematics.plants import plant

EIGHTH = 0.125


def _dense(found, z, x, y):
    """The textbook: V = Z G Z' + R on rows; GLS, BLUP, PEV and both criteria, by no shared code."""
    g = np.diag(np.concatenate([np.full(len(found.effects[f].levels), v) for f, v in found.variances.items()]))
    v = z @ g @ z.T + found.residual * np.eye(len(y))
    inverse = np.linalg.inv(v)
    cover = np.linalg.inv(x.T @ inverse @ x)
    b = cover @ x.T @ inverse @ y
    r = y - x @ b
    u = g @ z.T @ inverse @ r
    p = inverse - inverse @ x @ cover @ x.T @ inverse
    pev = g - g @ z.T @ p @ z @ g
    reml = np.linalg.slogdet(v)[1] - np.linalg.slogdet(cover)[1] + r @ inverse @ r
    return b, cover, u, pev, reml + (len(y) - x.shape[1]) * np.log(2 * np.pi)


@pytest.mark.parametrize("mixed", [0.0, 0.4])
def test_effects_errors_and_criterion_are_those_of_the_textbook_on_rows(mixed):
    p = plant(5, mixed=mixed)
    state = p.state().scale(dict.fromkeys(p.lots, EIGHTH))
    found = fit(state, "y", ["1"], {"lot": p.lots, "bench": p.benches})
    z = np.column_stack([p.shares / 8, np.eye(3)[p.bench]])
    b, cover, u, pev, reml = _dense(found, z, np.ones((60, 1)), p.y)
    ours = np.concatenate([found.effects["lot"].value, found.effects["bench"].value])
    errors = np.concatenate([found.effects["lot"].pev_sd, found.effects["bench"].pev_sd])
    assert found.fixed["1"] == pytest.approx(b[0], rel=1e-9)
    assert found.fixed_covariance[0, 0] == pytest.approx(cover[0, 0], rel=1e-8)
    assert ours == pytest.approx(u, abs=1e-8)
    assert errors == pytest.approx(np.sqrt(np.diag(pev)), rel=1e-8)
    assert found.covariance("lot") == pytest.approx(pev[:8, :8], abs=1e-7)
    assert found.criterion == pytest.approx(reml, rel=1e-10)


def test_variances_agree_with_statsmodels_and_reach_no_worse_a_likelihood():
    p = plant(7, lots=12, motors=150, benches=2)
    lot = p.shares.argmax(axis=1)
    x = np.column_stack([np.ones(150), p.bench])
    cross = CrossProducts.of_rows([*p.lots, "1", "x", "y"], np.column_stack([np.eye(12)[lot], x, p.y]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in ("reml", "ml"):
            ours = fit(cross, "y", ["1", "x"], {"lot": p.lots}, method)
            theirs = sm.MixedLM(p.y, x, lot).fit(reml=method == "reml", gtol=1e-10)
            assert ours.variances["lot"] == pytest.approx(float(theirs.cov_re[0, 0]), rel=1e-4)
            assert ours.residual == pytest.approx(theirs.scale, rel=1e-4)
            assert ours.criterion <= -2 * theirs.llf + 1e-6


def test_the_sparse_state_of_many_lots_gives_what_the_dense_one_gives():
    p = plant(11, lots=40, motors=400, mixed=0.3)
    families = {"lot": p.lots, "bench": p.benches}
    dense = fit(p.state(), "y", ["1"], families)
    rest = p.rows()[:, len(p.lots) :]
    half = [slice(0, 150), slice(150, 400)]
    parts = [BlockProducts.of_rows(p.lots, csr_array(p.shares[s]), [*p.benches, "1", "y"], rest[s]) for s in half]
    sparse = fit(parts[0].merge(parts[1]), "y", ["1"], families)
    assert sparse.criterion == pytest.approx(dense.criterion, rel=1e-12)
    assert sparse.effects["lot"].value == pytest.approx(dense.effects["lot"].value, abs=1e-4)
    assert sparse.effects["lot"].pev_sd == pytest.approx(dense.effects["lot"].pev_sd, rel=1e-4)


def test_a_banded_factor_has_the_same_inverse_diagonal_as_a_dense_one():
    rng = np.random.default_rng(2)
    lots = 60
    shares = np.zeros((500, lots))
    first = rng.integers(0, lots - 2, 500)
    pieces = rng.integers(0, 9, 500)
    shares[np.arange(500), first] += pieces
    shares[np.arange(500), first + rng.integers(1, 3, 500)] += 8 - pieces
    names = [f"l{k}" for k in rng.permutation(lots)]
    y = np.rint(shares @ rng.normal(0, 3, lots) + rng.normal(0, 9, 500))
    found = fit(
        CrossProducts.of_rows([*names, "1", "y"], np.column_stack([shares, np.ones(500), y])),
        "y",
        ["1"],
        {"lot": names},
    )
    assert not found.problem.gram.blocks and found.problem.gram.band.shape[0] > 1
    _, _, u, pev, _ = _dense(found, shares, np.ones((500, 1)), y)
    assert found.effects["lot"].value == pytest.approx(u, abs=1e-7)
    assert found.effects["lot"].pev_sd == pytest.approx(np.sqrt(np.diag(pev)), rel=1e-7)


def test_islands_of_lots_are_solved_block_by_block_like_the_dense_algebra():
    rng = np.random.default_rng(21)
    shares = np.zeros((400, 60))
    for motor in range(400):
        island = 20 * rng.integers(0, 3)
        pieces = rng.integers(1, 9)
        shares[motor, island + rng.integers(0, 20)] += pieces
        shares[motor, island + rng.integers(0, 20)] += 8 - pieces
    names = [f"l{k}" for k in rng.permutation(60)]
    y = np.rint(shares @ rng.normal(0, 3, 60) + rng.normal(0, 9, 400))
    rows = np.column_stack([shares, np.ones(400), y])
    found = fit(CrossProducts.of_rows([*names, "1", "y"], rows), "y", ["1"], {"lot": names})
    assert [len(place) for place, _ in found.problem.gram.blocks] == [20, 20, 20]
    _, _, u, pev, reml = _dense(found, shares, np.ones((400, 1)), y)
    assert found.effects["lot"].value == pytest.approx(u, abs=1e-7)
    assert found.effects["lot"].pev_sd == pytest.approx(np.sqrt(np.diag(pev)), rel=1e-7)
    assert found.criterion == pytest.approx(reml, rel=1e-10)


def test_repeated_tests_solved_from_means_are_the_motor_effect_model_on_single_tests():
    rng = np.random.default_rng(4)
    lots, motors = 6, 40
    effect, lot = rng.normal(0, 20, lots), np.concatenate([np.arange(6), rng.integers(0, 6, 34)])
    names, within = [f"l{k}" for k in range(lots)], 0.0
    rows: list[list[float]] = []
    means: dict[int, list[list[float]]] = {}
    for motor in range(motors):
        repeats = int(rng.integers(1, 4))
        values = effect[lot[motor]] + rng.normal(0, 10) + rng.normal(0, 5, repeats)
        means.setdefault(repeats, []).append([*np.eye(lots)[lot[motor]], 1.0, values.mean()])
        within += ((values - values.mean()) ** 2).sum()
        rows += [[*np.eye(lots)[lot[motor]], *np.eye(motors)[motor], 1.0, value] for value in values]
    states = {r: CrossProducts.of_rows([*names, "1", "y"], part) for r, part in means.items()}
    found = fit_repeats(states, within, "y", ["1"], {"lot": names})
    tested = [f"m{k}" for k in range(motors)]
    single = fit(CrossProducts.of_rows([*names, *tested, "1", "y"], rows), "y", ["1"], {"lot": names, "motor": tested})
    assert found.criterion == pytest.approx(single.criterion, abs=1e-6)
    assert found.motor == pytest.approx(single.variances["motor"], rel=1e-4)
    assert found.repeat == pytest.approx(single.residual, rel=1e-4)
    assert found.motors.effects["lot"].value == pytest.approx(single.effects["lot"].value, abs=1e-3)
    assert found.motors.effects["lot"].pev_sd == pytest.approx(single.effects["lot"].pev_sd, rel=1e-4)


def test_a_profile_interval_ends_where_the_criterion_has_risen_by_chi_square():
    p = plant(3, lots=10, motors=80)
    found = fit(p.state(), "y", ["1"], {"lot": p.lots, "bench": p.benches})
    for family in ("lot", "residual"):
        ends = profile_interval(found, family)
        for end in (ends.low, ends.high):
            assert held(found, family, end) - found.criterion == pytest.approx(3.841459, abs=1e-5)


def test_a_variance_of_zero_is_found_exactly_and_its_test_says_so():
    values = np.tile([3.0, -1.0, 4.0, -5.0], 6)
    rows = np.column_stack([np.repeat(np.eye(6), 4, axis=0), np.tile(np.eye(2), (12, 1)), np.ones(24), values])
    names = [*(f"l{k}" for k in range(6)), "b0", "b1", "1", "y"]
    families = {"lot": names[:6], "bench": names[6:8]}
    alike = CrossProducts.of_rows(names, rows)
    both = fit(alike, "y", ["1"], families)
    assert both.variances["lot"] == 0.0 and both.variances["bench"] > 0.0
    found = fit(alike, "y", ["1"], {"lot": names[:6]})
    assert found.variances["lot"] == 0.0
    assert (found.effects["lot"].value == 0).all() and (found.effects["lot"].pev_sd == 0).all()
    assert zero_test(found, "lot")[1] >= 0.05
    large = plant(1, lots=6, motors=120)
    assert zero_test(fit(large.state(), "y", large.benches, {"lot": large.lots}), "lot")[1] < 1e-6


def test_unshrunken_effects_are_least_squares_with_lots_and_benches_as_dummies():
    p = plant(9, mixed=0.3)
    state = p.state().scale(dict.fromkeys(p.lots, EIGHTH))
    found = unshrunken(state, "y", p.benches, p.lots)
    x = np.column_stack([p.shares / 8, np.eye(3)[p.bench][:, 1:]])
    theirs = sm.OLS(p.y, x).fit()
    against = np.eye(8) - 1 / 8
    assert all(found.estimable)
    assert found.value == pytest.approx(against @ theirs.params[:8], abs=1e-7)
    spread = against @ theirs.cov_params()[:8, :8] @ against.T
    assert found.covariance == pytest.approx(spread, abs=1e-7)
    others = unshrunken(state, "y", p.benches, p.lots, against="others")
    assert others.value == pytest.approx(np.array(found.value) * 8 / 7, abs=1e-7)


def test_a_lot_alone_on_its_bench_is_not_estimable_and_the_others_still_are():
    p = plant(13)
    bench = np.where(p.shares.argmax(axis=1) == 0, 2, p.bench % 2)
    rows = np.column_stack([p.shares / 8, np.eye(3)[bench], np.ones(60), p.y])
    found = unshrunken(CrossProducts.of_rows(p.names, rows), "y", p.benches, p.lots)
    assert found.estimable == (False, *[True] * 7)
    assert found.value[0] is None and found.sd[0] is None
    assert all(value is not None for value in found.value[1:])


def test_two_lots_always_mixed_alike_keep_their_prior_variance_in_the_contrast():
    p = plant(17)
    shares = p.shares / 8
    both = shares[:, 0] + shares[:, 1]
    shares[:, 0], shares[:, 1] = both / 2, both / 2
    rows = np.column_stack([shares, np.eye(3)[p.bench], np.ones(60), p.y])
    found = fit(CrossProducts.of_rows(p.names, rows), "y", ["1"], {"lot": p.lots})
    value, error = found.difference("lot", "lot00", "lot01")
    assert value == pytest.approx(0.0, abs=1e-8)
    assert error**2 == pytest.approx(2 * found.variances["lot"], rel=1e-8)
    fixed = unshrunken(CrossProducts.of_rows(p.names, rows), "y", p.benches, p.lots)
    assert fixed.estimable[:2] == (False, False) and all(fixed.estimable[2:])


def test_aliased_fixed_columns_are_refused_by_name():
    p = plant(19)
    with pytest.raises(NoAnswer, match="sums of each other") as refusal:
        fit(p.state(), "y", ["1", *p.benches], {"lot": p.lots})
    assert refusal.value.code == "not_estimable"
