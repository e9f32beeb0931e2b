"""The algebra of the state: merges, unfolding, renaming, units, splitting; bit for bit where integers are summed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.mathematics.alarms.evalues import Evidence, log_t_mixture, log_z_mixture, log_z_one_sided
from projections.mathematics.answers import NoAnswer
from projections.mathematics.edges.network import Node, information, joint
from projections.mathematics.limits.factors import one_sided
from projections.mathematics.limits.invert import Line, parent_limit
from projections.mathematics.lines.moment import ErrorSums
from projections.mathematics.lives.cache import PowerSums, common_shape
from projections.mathematics.lives.lots import by_lot
from projections.mathematics.lives.weibull import fit as fit_weibull
from projections.mathematics.lives.weibull import lives
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.model import fit
from projections.mathematics.moments.exact import Series, Tally
from projections.mathematics.studies.regression import ols
from tests.mathematics.plants import plant

INTEGERS = st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=30)
ROWS = st.lists(st.tuples(*[st.integers(-(2**20), 2**20)] * 3), min_size=1, max_size=20)


def _state(rows):
    return CrossProducts.of_rows(["a", "b", "y"], np.array(rows, dtype=float).reshape(-1, 3))


@given(ROWS, ROWS)
def test_merging_in_either_order_and_folding_all_at_once_give_the_same_bits(left, right):
    a, b, every = _state(left), _state(right), _state(left + right)
    assert a.merge(b).matrix.tobytes() == b.merge(a).matrix.tobytes() == every.matrix.tobytes()
    assert a.merge(b).n == every.n and every.exact


@given(ROWS, ROWS)
def test_folding_and_unfolding_is_the_identity_to_the_bit(kept, voided):
    state = _state(kept)
    assert (state.merge(_state(voided)).subtract(_state(voided)).matrix == state.matrix).all()


@given(INTEGERS, INTEGERS)
def test_tallies_and_series_merge_to_what_one_pass_gives(left, right):
    assert Tally.of(left).merge(Tally.of(right)) == Tally.of(left + right)
    assert Tally.of(left + right).subtract(Tally.of(right)) == Tally.of(left)
    assert Series.of(left).append(Series.of(right)) == Series.of(left + right)


@given(INTEGERS)
def test_a_tally_is_exact_where_floats_are_not(values):
    exact = Tally.of([value + 10**13 for value in values])
    mean = Fraction(sum(values), len(values))
    assert exact.squares() == sum((value - mean) ** 2 for value in values)


@settings(max_examples=15, deadline=None)
@given(st.permutations(list(range(8))), st.permutations(list(range(3))), st.integers(0, 50))
def test_the_answer_does_not_depend_on_how_lots_and_benches_are_named(lot_order, bench_order, seed):
    p = plant(seed, mixed=0.3)
    renamed = CrossProducts(
        (*[f"x{k}" for k in lot_order], *[f"z{k}" for k in bench_order], "1", "y"), p.state().matrix, 60
    )
    plain = fit(p.state(), "y", ["1"], {"lot": p.lots, "bench": p.benches})
    lots, benches = [f"x{k}" for k in range(8)], [f"z{k}" for k in range(3)]
    other = fit(renamed, "y", ["1"], {"lot": lots, "bench": benches})
    back = [other.effects["lot"].levels.index(f"x{k}") for k in lot_order]
    assert other.criterion == pytest.approx(plain.criterion, abs=1e-7)
    assert other.effects["lot"].value[back] == pytest.approx(plain.effects["lot"].value, abs=2e-3)


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-6, 1e6), st.integers(0, 50))
def test_a_change_of_unit_scales_everything_that_has_the_unit(factor, seed):
    p = plant(seed)
    plain = fit(p.state(), "y", p.benches, {"lot": p.lots})
    scaled = fit(p.state().scale({"y": factor}), "y", p.benches, {"lot": p.lots})
    assert scaled.residual == pytest.approx(plain.residual * factor**2, rel=1e-5)
    assert scaled.variances["lot"] == pytest.approx(plain.variances["lot"] * factor**2, rel=1e-4, abs=1e-6 * factor**2)
    assert scaled.effects["lot"].pev_sd == pytest.approx(
        plain.effects["lot"].pev_sd * factor, rel=1e-4, abs=1e-5 * factor
    )


def test_motors_of_one_lot_each_reproduce_the_one_way_model_whatever_the_way_of_counting():
    p = plant(23)
    pieces = fit(p.state().scale(dict.fromkeys(p.lots, 0.125)), "y", ["1"], {"lot": p.lots})
    lot = p.shares.argmax(axis=1)
    rows = np.column_stack([np.eye(8)[lot], np.ones(60), p.y])
    labels = fit(CrossProducts.of_rows([*p.lots, "1", "y"], rows), "y", ["1"], {"lot": p.lots})
    assert pieces.criterion == pytest.approx(labels.criterion, abs=1e-9)
    assert pieces.effects["lot"].value == pytest.approx(labels.effects["lot"].value, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 200), st.floats(0.5, 0.99), st.floats(0.5, 0.99), st.floats(0.001, 0.009))
def test_a_tolerance_factor_rises_with_content_and_confidence(n, content, confidence, more):
    k = one_sided(n, content, confidence)
    assert one_sided(n, content + more, confidence) > k
    assert one_sided(n, content, confidence + more) > k
    assert one_sided(n + 1, content, max(confidence, 0.6)) < one_sided(n, content, max(confidence, 0.6))


def _line(n, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, n)
    found = ols(np.column_stack([np.ones(n), x]), 10 + 2 * x + rng.normal(0, 0.5, n))
    return Line(found.beta, found.inverse, found.variance**0.5, n - 2)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.6, 0.98), st.floats(0.6, 0.98), st.floats(0.002, 0.01))
def test_a_parent_limit_is_monotone_in_content_and_confidence(content, confidence, more):
    line = _line(40)

    def limit(p, g):
        return parent_limit(line, 9.0, form="tolerance", content=p, confidence=g)

    assert limit(content + more, confidence) > limit(content, confidence)
    assert limit(content, confidence + more) > limit(content, confidence)
    mean, plug = (parent_limit(line, 9.0, form=form, content=content) for form in ("mean", "plug_in"))
    assert mean < plug < parent_limit(line, 9.0, form="predictive", content=content)


def test_the_tolerance_limit_tends_to_the_plug_in_limit_as_motors_are_added():
    gaps = []
    for n in (20, 200, 20000):
        line = _line(n)
        plug = parent_limit(line, 9.0, form="plug_in", content=0.95)
        gaps.append(parent_limit(line, 9.0, form="tolerance", content=0.95) - plug)
    assert gaps[0] > gaps[1] > gaps[2] > 0 and gaps[2] < 0.02


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40), st.integers(0, 40))
def test_an_e_process_does_not_change_when_a_batch_is_split(values, cut):
    ticks = [round(value * 1000) for value in values]
    whole, left, right = Evidence(), Evidence(), Evidence()
    for place, tick in enumerate(ticks):
        whole = whole.add(tick)
        left, right = (left.add(tick), right) if place < cut else (left, right.add(tick))
    assert left.merge(right) == whole
    assert log_z_mixture(whole.n, whole.total / 1000, 0.25) == log_z_mixture(
        whole.n, left.merge(right).total / 1000, 0.25
    )


@given(st.integers(1, 500), st.floats(-100, 100))
def test_one_sided_evidence_is_at_most_twice_the_two_sided_and_both_sides_average_to_it(n, total):
    both = log_z_mixture(n, total, 0.3)
    up, down = log_z_one_sided(n, total, 0.3), log_z_one_sided(n, -total, 0.3)
    assert np.logaddexp(up, down) - np.log(2) == pytest.approx(both, abs=1e-9)


@given(st.integers(2, 500), st.floats(-3, 3), st.floats(0.1, 10), st.floats(1e-3, 1e3))
def test_evidence_with_unknown_variance_does_not_depend_on_the_unit(n, mean, sd, unit):
    m2 = n * sd**2
    assert log_t_mixture(n, mean * unit, m2 * unit**2, 0.25) == pytest.approx(
        log_t_mixture(n, mean, m2, 0.25), abs=1e-8
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_the_weibull_cache_merges_to_the_fit_on_rows_and_lives_scale_with_their_unit(seed, unit):
    rng = np.random.default_rng(seed)
    lots = {}
    for name in "abcd":
        t = 1000 * rng.weibull(rng.uniform(1.0, 3.0), 30)
        lots[name] = lives(np.minimum(t, 900), t < 900)
    rows = by_lot(lots)
    halves = [
        [PowerSums.of(lives(x.time[s], x.failed[s]), 500.0) for s in (slice(0, 11), slice(11, 30))]
        for x in lots.values()
    ]
    shape, scales = common_shape([left.merge(right) for left, right in halves])
    assert shape == pytest.approx(rows.shape, rel=1e-6)
    assert scales == pytest.approx(list(rows.scale.values()), rel=1e-6)
    one, other = lots["a"], lives(lots["a"].time * unit, lots["a"].failed)
    assert fit_weibull(other).shape == pytest.approx(fit_weibull(one).shape, rel=1e-9)
    assert fit_weibull(other).scale == pytest.approx(fit_weibull(one).scale * unit, rel=1e-9)


@settings(max_examples=25)
@given(st.permutations(["c", "y", "x2"]), st.tuples(*[st.floats(-5, 5)] * 3))
def test_evidence_in_any_order_and_in_information_form_gives_the_same_network(order, values):
    nodes = [
        Node("x1", 1.0, {}, 1.0), Node("x2", -1.0, {}, 0.5), Node("m", 2.0, {"x1": 1.5, "x2": -0.3}, 0.2),
        Node("c", 0.0, {"m": 1.0}, 0.4), Node("y", 3.0, {"m": 0.7}, 0.6),
    ]  # fmt: skip
    evidence = dict(zip(("c", "y", "x2"), values, strict=True))
    at_once = joint(nodes).given(evidence)
    step = joint(nodes)
    for name in order:
        step = step.given({name: evidence[name]})
    assert step.mean == pytest.approx(at_once.mean, abs=1e-9)
    assert step.log_evidence == pytest.approx(at_once.log_evidence, abs=1e-9)
    facts = information(nodes)
    with_fact = facts.add({"m": 1.0}, values[0], 0.3)
    assert with_fact.add({"m": 1.0}, values[0], 0.3, sign=-1.0).joint().mean == pytest.approx(
        facts.joint().mean, abs=1e-8
    )
    assert facts.joint().covariance == pytest.approx(joint(nodes).covariance, abs=1e-10)


@given(st.integers(1, 20), st.integers(0, 100))
def test_sums_for_errors_in_variables_merge(cut, seed):
    rng = np.random.default_rng(seed)
    x, u, y = rng.integers(-99, 99, (25, 2)), rng.integers(0, 9, (25, 2)), rng.integers(-99, 99, 25)
    parts = [ErrorSums.of(x[s], u[s], y[s]) for s in (slice(0, cut), slice(cut, 25))]
    assert (parts[0].merge(parts[1]).products == ErrorSums.of(x, u, y).products).all()


def test_states_that_have_seen_different_lots_merge_to_the_same_bits_in_either_order():
    left = CrossProducts.of_rows(["lot2", "bench", "y"], [[8, 1, 3], [8, 1, 5]])
    right = CrossProducts.of_rows(["y", "lot1", "bench"], [[7, 8, 1]])
    one, other = left.merge(right), right.merge(left)
    assert one.names == other.names == ("bench", "lot1", "lot2", "y")
    assert one.matrix.tobytes() == other.matrix.tobytes()
    assert (one.subtract(right).select(left.names).matrix == left.matrix).all()


def test_a_slope_that_cannot_be_told_from_zero_carries_no_limit_in_any_form_but_the_mean():
    flat = Line(np.array([10.0, 0.3]), np.diag([0.02, 0.04]), 1.0, 48)
    for form in ("plug_in", "predictive", "tolerance"):
        with pytest.raises(NoAnswer, match="cannot be told from zero"):
            parent_limit(flat, 9.0, form=form, content=0.9)
    assert parent_limit(flat, 9.0, form="mean") == pytest.approx(-1 / 0.3)


def test_taking_out_more_than_was_put_in_is_refused():
    with pytest.raises(NoAnswer):
        _state([(1, 2, 3)]).subtract(_state([(1, 2, 3), (4, 5, 6)]))
