"""What cannot be answered of lives, alarms and studies: the name of the refusal and the call."""

import numpy as np

from projections.mathematics.alarms import charts, evalues, multiple, online, sequential
from projections.mathematics.lives import accelerated, lots, weibull
from projections.mathematics.lives.cache import PowerSums, common_shape
from projections.mathematics.moments.exact import Tally
from projections.mathematics.studies.counts import poisson
from projections.mathematics.studies.effect import difference_in_differences
from projections.mathematics.studies.gauge import gauge
from projections.mathematics.studies.regression import ols
from projections.mathematics.studies.series import gls_ar1

TEN = np.arange(1.0, 11.0)

CASES = {
    "all censored": ("no_rate", lambda: weibull.fit(weibull.lives(TEN, np.zeros(10)))),
    "all failed at once": ("no_finite_limit", lambda: weibull.fit(weibull.lives(np.full(10, 5.0), np.ones(10)))),
    "one failure, the longest": ("no_finite_limit", lambda: weibull.fit(weibull.lives([1, 2, 3], [0, 0, 1]))),
    "a life of zero": ("bad_input", lambda: weibull.lives([0.0, 1.0], [1, 1])),
    "nobody on test": ("too_few", lambda: weibull.fit(weibull.lives([], []))),
    "zero failures with a failure": (
        "bad_input",
        lambda: weibull.zero_failures(weibull.lives([1, 2], [1, 0]), 2.0, 0.1),
    ),
    "lots all censored": ("no_rate", lambda: lots.by_lot({k: weibull.lives(TEN, np.zeros(10)) for k in "ab"})),
    "cache all censored": ("no_rate", lambda: common_shape([PowerSums.of(weibull.lives(TEN, np.zeros(10)), 5.0)])),
    "a rate without exposure": ("no_rate", lambda: lots.rate_bounds(3, 0.0)),
    "accelerated, all censored": (
        "no_rate",
        lambda: accelerated.fit(weibull.lives(TEN, np.zeros(10)), np.column_stack([np.ones(10), TEN]), "weibull"),
    ),
    "accelerated at one temperature": (
        "not_estimable",
        lambda: accelerated.fit(weibull.lives(TEN, np.ones(10)), np.ones((10, 2)), "weibull"),
    ),
    "accelerated, failures at one end only": (
        "not_estimable",
        lambda: accelerated.fit(
            weibull.lives(np.full(10, 5.0), [1] * 5 + [0] * 5),
            np.column_stack([np.ones(10), [0] * 5 + [1] * 5]),
            "weibull",
        ),
    ),
    "a negative e-value": ("bad_input", lambda: evalues.e_bh([-1.0, 2.0], 0.05)),
    "evidence without scatter": ("no_variation", lambda: evalues.log_t_mixture(3, 1.0, 0.0, 0.25)),
    "a p value of two": ("bad_input", lambda: multiple.holm([2.0])),
    "an online p value of two": ("bad_input", lambda: online.lond(online.State(), 2.0, 0.05, lambda t: 0.1)),
    "fractions that fall": ("bad_input", lambda: sequential.pocock([0.5, 0.4], 0.05)),
    "a chart without weight": ("bad_input", lambda: charts.Ewma.start(0.0, 1.0)),
    "a gauge study of one operator": ("too_few_levels", lambda: gauge({("p", "o"): Tally.of([1, 2])})),
    "an unbalanced gauge study": (
        "bad_input",
        lambda: gauge({(p, o): Tally.of([1] * (1 + (p == o))) for p in "ab" for o in "ab"}),
    ),
    "no control lots": (
        "not_estimable",
        lambda: difference_in_differences(TEN, [True] * 10, [False, True] * 5, list("aabbccddee")),
    ),
    "one cluster": (
        "too_few_levels",
        lambda: difference_in_differences(TEN, [True, False] * 5, [False, False, True, True, True] * 2, ["a"] * 10),
    ),
    "least squares, aliased": ("not_estimable", lambda: ols(np.ones((5, 2)), TEN[:5])),
    "a perfect series": ("no_variation", lambda: gls_ar1(np.column_stack([np.ones(10), TEN]), 2 * TEN)),
    "no events": ("no_rate", lambda: poisson(np.ones((10, 1)), np.zeros(10), TEN)),
    "a negative count": ("bad_input", lambda: poisson(np.ones((10, 1)), -TEN, TEN)),
    "a period without events": (
        "no_rate",
        lambda: poisson(np.column_stack([np.ones(10), TEN > 5]), np.where(TEN > 5, 0, 5), np.ones(10)),
    ),
}
