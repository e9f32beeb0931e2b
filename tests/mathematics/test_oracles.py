"""Estimators on rows and lots against statsmodels, lifelines and scipy, which share no code with them."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from lifelines import LogNormalAFTFitter, WeibullAFTFitter, WeibullFitter
from pandas import DataFrame  # type: ignore[import-untyped]
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize
from statsmodels.stats.multitest import multipletests

from projections.mathematics.alarms import multiple, sequential
from projections.mathematics.alarms.charts import cusum_arl, ewma_arl
from projections.mathematics.edges.scalar import product, update
from projections.mathematics.limits import factors, guard
from projections.mathematics.limits.lots import lower_limit
from projections.mathematics.limits.supply import supply_limits
from projections.mathematics.lines.curves import choose, fit_curve
from projections.mathematics.lines.latent import Measured, feedback, latent
from projections.mathematics.lines.moment import moment_corrected
from projections.mathematics.lines.york import deming, york
from projections.mathematics.lives import accelerated, weibull
from projections.mathematics.lives.lots import bootstrap_p, by_lot, frailty
from projections.mathematics.moments.exact import Tally
from projections.mathematics.studies.counts import harmonics, poisson
from projections.mathematics.studies.gauge import range_moments
from projections.mathematics.studies.regression import clustered, newey_west, ols
from projections.mathematics.studies.series import gls_ar1


def _lives(seed=3, n=120):
    rng = np.random.default_rng(seed)
    t = 800 * rng.weibull(1.8, n)
    end = rng.uniform(300, 1200, n)
    return np.minimum(t, end), t <= end, rng


def test_a_weibull_fit_is_that_of_lifelines():
    time, failed, _ = _lives()
    ours = weibull.fit(weibull.lives(time, failed))
    theirs = WeibullFitter().fit(time, failed)
    assert ours.shape == pytest.approx(theirs.rho_, rel=1e-5)
    assert ours.scale == pytest.approx(theirs.lambda_, rel=1e-5)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, abs=1e-6)


def test_fractional_weights_count_like_repeated_units():
    time, failed, rng = _lives(n=40)
    count = rng.integers(1, 5, 40)
    weighed = weibull.fit(weibull.lives(time, failed, count))
    repeated = weibull.fit(weibull.lives(np.repeat(time, count), np.repeat(failed, count)))
    assert weighed.shape == pytest.approx(repeated.shape, rel=1e-10)
    assert weighed.covariance == pytest.approx(repeated.covariance, rel=1e-8)


@pytest.mark.parametrize(("law", "fitter"), [("weibull", WeibullAFTFitter), ("lognormal", LogNormalAFTFitter)])
def test_an_accelerated_fit_is_that_of_lifelines(law, fitter):
    time, failed, rng = _lives()
    x = rng.normal(0, 1, 120)
    time = time * np.exp(0.6 * x)
    ours = accelerated.fit(weibull.lives(time, failed), np.column_stack([np.ones(120), x]), law)
    theirs = fitter().fit(DataFrame({"t": time, "d": failed, "x": x}), "t", "d")
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood_, abs=1e-4)
    named = "lambda_" if law == "weibull" else "mu_"
    assert ours.beta[1] == pytest.approx(theirs.params_[named, "x"], abs=1e-4)
    assert ours.errors()[1] == pytest.approx(theirs.standard_errors_[named, "x"], rel=1e-3)


def test_the_ratio_between_lots_has_its_reference_in_the_bootstrap_and_frailty_shrinks():
    rng = np.random.default_rng(8)
    lots = {}
    for name, scale in {"a": 900, "b": 900, "c": 900, "weak": 350}.items():
        t = scale * rng.weibull(2.0, 40)
        lots[name] = weibull.lives(np.minimum(t, 600), t < 600)
    found = by_lot(lots)
    assert found.ratio.p < 1e-4 and bootstrap_p(lots, np.random.default_rng(1), 99) <= 0.02
    posterior = frailty(lots, found.shape, 900.0, 0.5)
    assert max(posterior, key=lambda name: posterior[name].mean) == "weak"
    raw = lots["weak"].failures / float((lots["weak"].time / 900) ** found.shape @ lots["weak"].weight)
    assert 1 < posterior["weak"].mean < raw


def test_closed_batches_are_those_of_statsmodels():
    p = np.random.default_rng(1).beta(0.3, 1, 50).tolist()
    for name, theirs in {"BH": "fdr_bh", "BY": "fdr_by", "bonferroni": "bonferroni", "holm": "holm"}.items():
        assert multiple.METHODS[name](p) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-14)


def test_robust_covariances_are_those_of_statsmodels():
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(90), rng.normal(size=(90, 2))])
    y = x @ [1, 2, 3] + rng.normal(size=90).cumsum() * 0.2
    groups = rng.integers(0, 12, 90)
    ours, theirs = ols(x, y), sm.OLS(y, x).fit()
    hac = theirs.get_robustcov_results("HAC", maxlags=5, use_correction=False)
    cluster = theirs.get_robustcov_results("cluster", groups=groups)
    assert ours.beta == pytest.approx(theirs.params) and ours.errors == pytest.approx(theirs.bse)
    assert newey_west(ours, 5) == pytest.approx(hac.cov_params(), rel=1e-8)
    assert clustered(ours, [str(g) for g in groups])[0] == pytest.approx(cluster.cov_params(), rel=1e-8)


def test_correlated_residuals_reach_the_likelihood_of_an_exact_arima():
    rng = np.random.default_rng(6)
    e = np.zeros(120)
    for k in range(1, 120):
        e[k] = 0.5 * e[k - 1] + rng.normal()
    x = np.column_stack([np.ones(120), np.arange(120) > 60]).astype(float)
    y = x @ [5.0, 1.5] + e
    ours = gls_ar1(x, y)
    theirs = sm.tsa.SARIMAX(y, exog=x, order=(1, 0, 0)).fit(disp=False)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-3)
    assert ours.phi == pytest.approx(theirs.params[2], abs=2e-3)


def test_counts_are_those_of_a_poisson_glm():
    rng = np.random.default_rng(2)
    month = np.arange(72)
    x = np.column_stack([np.ones(72), month > 40, harmonics(month, 2, 12)])
    risk = rng.uniform(100, 300, 72)
    events = rng.poisson(risk * np.exp(x @ np.array([-2, -0.3, 0.2, 0.1, 0.05, 0.0])))
    ours = poisson(x, events, risk)
    theirs = sm.GLM(events, x, family=sm.families.Poisson(), offset=np.log(risk)).fit(tol=1e-12)
    assert ours.beta == pytest.approx(theirs.params, abs=1e-8)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse, rel=1e-6)
    assert ours.deviance == pytest.approx(theirs.deviance, rel=1e-9)
    assert ours.dispersion == pytest.approx(theirs.pearson_chi2 / theirs.df_resid, rel=1e-6)


def test_tolerance_factors_hold_their_definition_by_direct_integration():
    for n, p, g in ((6, 0.9, 0.99), (25, 0.99, 0.95)):
        k = factors.one_sided(n, p, g)

        def content(chi: float, k=k, n=n, p=p) -> float:
            return float(
                stats.norm.cdf(math.sqrt(n) * (k * math.sqrt(chi / (n - 1)) - stats.norm.ppf(p)))
                * stats.chi2.pdf(chi, n - 1)
            )

        assert quad(content, 0, 20 * n, limit=400)[0] == pytest.approx(g, abs=1e-7)
        assert abs(factors.two_sided_howe(n, p, g) / factors.two_sided(n, p, g) - 1) < 0.03
    assert factors.nonparametric_size(0.99, 0.95) == 299


def test_a_limit_with_lots_is_the_quantile_of_its_pivot_by_simulation():
    rng = np.random.default_rng(7)
    lots = [Tally.of(rng.integers(-40, 40, n).tolist()) for n in (5, 5, 8, 3, 6, 5)]
    found = lower_limit(lots, 0.9, 0.95)
    means = np.array([float(lot.mean()) for lot in lots])
    squares, harmonic = ((means - means.mean()) ** 2).sum(), np.mean([1 / lot.n for lot in lots])
    u, v, z = rng.chisquare(5, 400_000), rng.chisquare(26, 400_000), rng.normal(size=400_000)
    spread = np.sqrt(squares / u + (1 - harmonic) * found.ss_within / v)
    pivot = means.mean() + z * np.sqrt(squares / (6 * u)) - stats.norm.ppf(0.9) * spread
    assert found.limit == pytest.approx(np.quantile(pivot, 0.05), abs=0.5)
    assert found.limit < found.ignoring_lots


def test_guard_band_risks_are_the_bivariate_normal_for_a_normal_supply():
    supply = guard.supply("normal", mean=1600.0, sd=50.0)
    found = guard.risks(supply, 1520.0, 20.0, 1540.0, "lower")
    cover = [[2500.0, 2500.0], [2500.0, 2900.0]]
    both = stats.multivariate_normal([1600.0, 1600.0], cover).cdf([1520.0, 1540.0])
    assert found.false_accept == pytest.approx(stats.norm.cdf(1520, 1600, 50) - both, abs=1e-6)
    assert found.accepted == pytest.approx(stats.norm.sf(1540, 1600, math.sqrt(2900)), abs=1e-10)
    at = guard.acceptance_limit(supply, 1520.0, 20.0, 0.002, "lower", conditional=True)
    assert guard.risks(supply, 1520.0, 20.0, at, "lower").conditional == pytest.approx(0.002, rel=1e-8)
    x = guard.informed_guard(1520.0, 20.0, 1600.0, 50.0, 0.95)
    w = 2500 / 2900
    assert stats.norm.sf(1520, 1600 + w * (x - 1600), math.sqrt(w) * 20.0) == pytest.approx(0.95)
    mirrored = guard.supply("normal", mean=-1600.0, sd=50.0)
    assert guard.risks(mirrored, -1520.0, 20.0, -1540.0, "upper").false_reject == pytest.approx(found.false_reject)


def test_york_and_deming_reach_the_minimum_that_a_general_optimizer_finds():
    rng = np.random.default_rng(9)
    x = rng.normal(0, 3, 20)
    sx, sy = rng.uniform(0.1, 1, 20), rng.uniform(0.1, 1, 20)
    px, py = x + sx * rng.normal(size=20), 1 - 2.5 * x + sy * rng.normal(size=20)
    ours = york(px, py, sx, sy)

    def chi2(theta):
        return ((py - theta[0] - theta[1] * px) ** 2 / (sy**2 + theta[1] ** 2 * sx**2)).sum()

    best = minimize(chi2, [0, -1], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    assert (ours.intercept, ours.slope) == pytest.approx(best.x, abs=1e-6)
    assert ours.chi2 == pytest.approx(best.fun, rel=1e-9)
    turned = york(py, px, sy, sx)
    assert turned.slope == pytest.approx(1 / ours.slope, rel=1e-8)
    assert deming(px, py, 4.0).slope == pytest.approx(york(px, py, np.ones(20), np.full(20, 2.0)).slope, rel=1e-8)


def test_the_moment_correction_removes_the_attenuation_and_naive_slopes_keep_it():
    rng = np.random.default_rng(10)
    slopes, naive = [], []
    for _ in range(60):
        x, u = rng.normal(0, 1, 300), rng.uniform(0.3, 0.9, 300)
        found = moment_corrected(x + u * rng.normal(size=300), u, 2.0 * x + rng.normal(0, 0.3, 300))
        slopes.append(found.slopes[0])
        naive.append(found.naive[0])
    assert np.mean(slopes) == pytest.approx(2.0, abs=0.04) and np.mean(naive) < 1.6


def test_products_of_slopes_have_the_moments_of_a_simulation():
    rng = np.random.default_rng(11)
    draws = rng.normal(2, 0.4, 10**6) * rng.normal(-1.5, 0.5, 10**6)
    mean, sd = product([(2, 0.4), (-1.5, 0.5)])
    assert mean == pytest.approx(draws.mean(), abs=3e-3) and sd == pytest.approx(draws.std(), rel=3e-3)
    assert update(1.0, 0.2, 1.4, 0.2).mean == pytest.approx(1.2)
    torn = update(1.0, 0.1, 3.0, 0.2)
    assert not torn.pooled and (torn.mean, torn.sigma) == (3.0, 0.2)


def test_a_latent_value_is_the_weighted_mean_and_a_bound_cuts_it_off():
    both = latent([Measured(1500.0, 20.0), Measured(1540.0, 30.0)], (1520.0, 60.0))
    weights = np.array([1 / 400, 1 / 900, 1 / 3600])
    assert both.mean == pytest.approx(weights @ [1500, 1540, 1520] / weights.sum())
    assert both.sd == pytest.approx(weights.sum() ** -0.5, rel=1e-9)
    cut = latent([Measured(None, 1e-3 * 60, low=1520.0)], (1520.0, 60.0))
    assert cut.mean == pytest.approx(1520 + 60 * math.sqrt(2 / math.pi), abs=3.0)
    told = feedback(both, 93.2, 0.1, 87.0, 0.004)
    assert told.full[1] < told.cut[1]
    assert feedback(both, 94.5, 0.05, 87.0, 0.004).contradicted


def test_a_knee_is_told_from_a_line_by_leaving_lots_out():
    rng = np.random.default_rng(12)
    x = rng.normal(1500, 60, 28)
    y = 0.08 * np.log1p(np.exp((1480 - x) / 10)) * 10 + rng.normal(0, 0.15, 28)
    lots = [latent([Measured(value, 5.0)], (1500.0, 60.0)) for value in x + rng.normal(0, 5, 28)]
    best, scores = choose(lots, y, np.full(28, 0.15))
    assert best.form == "knee" and scores["knee"] < scores["straight"]
    assert best.at(1400.0)[0] == pytest.approx(0.08 * 80, rel=0.25) and abs(best.at(1600.0)[0]) < 0.4
    line = fit_curve(lots, 0.01 * (x - 1500) + rng.normal(0, 0.1, 28), np.full(28, 0.1), "straight")
    assert line.slope(1500.0) == pytest.approx(0.01, rel=0.15)


def test_limits_on_the_actual_lots_are_the_best_of_all_combinations():
    rng = np.random.default_rng(13)
    table = rng.normal(size=(25, 2))
    chance = stats.norm.cdf(1.5 + table @ [1.0, 0.7])
    found = supply_limits(table, chance, 0.97)
    best = min(
        float((~keep).mean()) for a in [-np.inf, *table[:, 0]] for b in [-np.inf, *table[:, 1]]
         if (keep := (table[:, 0] >= a) & (table[:, 1] >= b)).any() and chance[keep].mean() >= 0.97
    )  # fmt: skip
    assert found.excluded == pytest.approx(best) and found.conformance >= 0.97
    strict = supply_limits(table, chance, 0.97, convention="at_limit")
    assert strict.excluded >= found.excluded


def test_group_sequential_bounds_spend_their_alpha_by_simulation():
    rng = np.random.default_rng(14)
    looks = [0.25, 0.6, 1.0]
    t = np.array(looks)
    z = rng.normal(size=(400_000, 3)) * np.sqrt(np.diff(t, prepend=0))
    z = z.cumsum(axis=1) / np.sqrt(t)
    for bounds in (sequential.pocock(looks, 0.05), sequential.spending(looks, 0.05, sequential.spend_pocock)):
        assert (np.abs(z) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.0015)
    one = sequential.obrien_fleming(looks, 0.025, 1)
    assert (z > one).any(axis=1).mean() == pytest.approx(0.025, abs=0.001)


def test_run_lengths_are_those_of_a_simulation():
    rng = np.random.default_rng(15)
    z, high, low = np.zeros(4000), np.zeros(4000), np.zeros(4000)
    first, second = np.zeros(4000), np.zeros(4000)
    for t in range(1, 400):
        x = rng.normal(1.0, 1.0, 4000)
        z = 0.2 * x + 0.8 * z
        high, low = np.maximum(0, high + x - 0.5), np.maximum(0, low - x - 0.5)
        first[(first == 0) & (np.abs(z) > 2.7 / 3)] = t
        second[(second == 0) & ((high > 4) | (low > 4))] = t
    assert ewma_arl(0.2, 2.7, 1.0) == pytest.approx(first.mean(), rel=0.04)
    assert cusum_arl(0.5, 4.0, 1.0) == pytest.approx(second.mean(), rel=0.04)


def test_moments_of_the_range_are_the_printed_constants():
    for n, d2, d3 in ((2, 1.12838, 0.85250), (3, 1.69257, 0.88837), (5, 2.32593, 0.86408), (10, 3.07751, 0.79705)):
        assert range_moments(n) == pytest.approx((d2, d3), abs=1e-5)
