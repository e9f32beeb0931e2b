"""Coverage by simulation: for each kind of interval the stated level against the reached one.

`python tests/reference/coverage.py [DRAWS]` prints the table (default 1000 draws for each kind).
"""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import norm, t

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from projections.mathematics.alarms.evalues import confidence_sequence
from projections.mathematics.answers import NoAnswer
from projections.mathematics.edges.conjugate import belief
from projections.mathematics.limits.capability import capability
from projections.mathematics.limits.factors import one_sided
from projections.mathematics.limits.invert import Line, parent_limit
from projections.mathematics.limits.lots import lower_limit
from projections.mathematics.lines.moment import moment_corrected
from projections.mathematics.lines.york import york
from projections.mathematics.lives import accelerated, weibull
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.intervals import profile_interval
from projections.mathematics.mixed.model import MixedFit, fit
from projections.mathematics.mixed.unshrunken import unshrunken
from projections.mathematics.moments.exact import Tally
from projections.mathematics.studies.effect import difference_in_differences
from projections.mathematics.studies.regression import ols

Draw = Callable[[np.random.Generator], float]
"""One simulated data set: 1.0 when the interval covers the truth, 0.0 when not, or a share of several."""
LOT_SD, NOISE = 1.5, 1.0
Z = float(norm.ppf(0.975))


def _plant(rng: np.random.Generator) -> tuple[CrossProducts, list[str], np.ndarray]:
    """12 lots, 96 motors, 30 % mixed, one covariate; truth: intercept 5, slope 0.5."""
    first = np.concatenate([np.arange(12), rng.integers(0, 12, 84)])
    part = np.where(rng.random(96) < 0.3, rng.integers(1, 8, 96) / 8, 1.0)
    shares = np.zeros((96, 12))
    shares[np.arange(96), first] += part
    shares[np.arange(96), (first + 1) % 12] += 1 - part
    effect, x = rng.normal(0, LOT_SD, 12), rng.normal(size=96)
    y = 5 + 0.5 * x + shares @ effect + rng.normal(0, NOISE, 96)
    names = [f"l{k}" for k in range(12)]
    return CrossProducts.of_rows([*names, "1", "x", "y"], np.column_stack([shares, np.ones(96), x, y])), names, effect


def _fitted(rng: np.random.Generator) -> tuple[MixedFit, np.ndarray]:
    cross, names, effect = _plant(rng)
    return fit(cross, "y", ["1", "x"], {"lot": names}), effect


def shrunken(rng: np.random.Generator) -> float:
    found, effect = _fitted(rng)
    lot = found.effects["lot"]
    return float((np.abs(lot.value - effect) <= Z * lot.pev_sd).mean())


def fixed_effect(rng: np.random.Generator) -> float:
    value, error = _fitted(rng)[0].contrast({"x": 1.0})
    return float(abs(value - 0.5) <= Z * error)


def unshrunken_lots(rng: np.random.Generator) -> float:
    cross, names, effect = _plant(rng)
    found = unshrunken(cross, "y", ["1", "x"], names)
    value, sd = np.array(found.value, dtype=float), np.array(found.sd, dtype=float)
    half = float(t.ppf(0.975, found.dof)) * sd
    return float((np.abs(value - (effect - effect.mean())) <= half).mean())


def lot_scatter(rng: np.random.Generator) -> float:
    ends = profile_interval(_fitted(rng)[0], "lot")
    return float(ends.low <= LOT_SD <= ends.high)


def motor_scatter(rng: np.random.Generator) -> float:
    ends = profile_interval(_fitted(rng)[0], "residual")
    return float(ends.low <= NOISE <= ends.high)


def tolerance(rng: np.random.Generator) -> float:
    y = rng.normal(size=15)
    return float(y.mean() - one_sided(15, 0.9, 0.95) * y.std(ddof=1) <= norm.ppf(0.1))


def tolerance_with_lots(rng: np.random.Generator) -> float:
    lots = [
        Tally.of(np.rint(1000 * (rng.normal(0, LOT_SD) + rng.normal(0, NOISE, 5))).astype(int).tolist())
        for _ in range(8)
    ]
    return float(lower_limit(lots, 0.9, 0.95).limit <= -1000 * norm.ppf(0.9) * math.hypot(LOT_SD, NOISE))


def _line(rng: np.random.Generator) -> Line:
    x = rng.normal(size=30)
    found = ols(np.column_stack([np.ones(30), x]), 10 + 2 * x + rng.normal(size=30))
    return Line(found.beta, found.inverse, math.sqrt(found.variance), 28)


def inverted_tolerance(rng: np.random.Generator) -> float:
    """The parent limit is on the safe side of the true one in share g of the cases."""
    at = parent_limit(_line(rng), 8.0, form="tolerance", content=0.9, confidence=0.95)
    return float(at >= (8.0 + norm.ppf(0.9) - 10) / 2)


def inverted_predictive(rng: np.random.Generator) -> float:
    """Share of the next motors at the limit that conform."""
    at = parent_limit(_line(rng), 8.0, form="predictive", content=0.9)
    return float(norm.sf(8.0, 10 + 2 * at, 1.0))


def corrected_slope(rng: np.random.Generator) -> float:
    x, u = rng.normal(size=80), rng.uniform(0.2, 0.7, 80)
    found = moment_corrected(x + u * rng.normal(size=80), u, 2 * x + rng.normal(0, 0.5, 80))
    assert found.covariance is not None
    return float(abs(found.slopes[0] - 2) <= Z * math.sqrt(found.covariance[0, 0]))


def york_slope(rng: np.random.Generator) -> float:
    x = np.linspace(0, 10, 15)
    sx, sy = rng.uniform(0.1, 0.5, 15), rng.uniform(0.2, 1, 15)
    found = york(x + sx * rng.normal(size=15), 1 + 2 * x + sy * rng.normal(size=15), sx, sy)
    return float(abs(found.slope - 2) <= Z * found.se_slope)


def _weibull(rng: np.random.Generator) -> weibull.Weibull:
    life = 1000 * rng.weibull(2.0, 40)
    return weibull.fit(weibull.lives(np.minimum(life, 900), life < 900))


def weibull_shape(rng: np.random.Generator) -> float:
    low, high = weibull.shape_interval(_weibull(rng))
    return float(low <= 2 <= high)


def weibull_b10(rng: np.random.Generator) -> float:
    low, high = weibull.life_interval(_weibull(rng), 0.1)
    return float(low <= 1000 * (-math.log(0.9)) ** 0.5 <= high)


def weibull_bound(rng: np.random.Generator) -> float:
    """Truth just below the bound, where it is missed as often as stated: whenever nothing fails."""
    life = 2580.0 * rng.weibull(2.0, 20)
    data = weibull.lives(np.full(20, 1000.0), np.zeros(20))
    return 1.0 if (life < 1000).any() else float(weibull.zero_failures(data, 2.0, 0.1).scale <= 2580.0)


def accelerated_life(rng: np.random.Generator) -> float:
    x = np.repeat([0.0, 1.0, 2.0], 20)
    life = np.exp(8 - x + 0.4 * np.log(rng.exponential(size=60)))
    end = np.exp(8.0 - x + 0.1)
    found = accelerated.fit(
        weibull.lives(np.minimum(life, end), life < end), np.column_stack([np.ones(60), x]), "weibull"
    )
    _, low, high = found.life([1.0, -0.5], 0.1)
    return float(low <= math.exp(8.5 + 0.4 * math.log(-math.log(0.9))) <= high)


def any_time(rng: np.random.Generator) -> float:
    """Covers at all of 200 looks."""
    x = rng.normal(size=200)
    n = np.arange(1, 201)
    means = x.cumsum() / n
    return float(
        all(
            low <= 0 <= high
            for low, high in (confidence_sequence(int(k), float(m), 0.25, 0.05) for k, m in zip(n, means, strict=True))
        )
    )


def cp(rng: np.random.Generator) -> float:
    y = rng.normal(size=40)
    ends = capability(40, y.mean(), y.std(ddof=1), -4.0, 4.0).cp_interval
    return float(ends is not None and ends[0] <= 4 / 3 <= ends[1])


def cpk_bound(rng: np.random.Generator) -> float:
    y = rng.normal(size=40)
    return float(capability(40, y.mean(), y.std(ddof=1), -4.0, None).worse_side_lower_bound <= 4 / 3)


def cpk_bissell(rng: np.random.Generator) -> float:
    y = rng.normal(size=40)
    low, high = capability(40, y.mean(), y.std(ddof=1), -4.0, None).cpk_interval_bissell
    return float(low <= 4 / 3 <= high)


def differences(rng: np.random.Generator) -> float:
    lot = np.repeat(np.arange(24), 16)
    treated, after = lot < 12, np.tile([False, True], 192)
    y = rng.normal(0, 0.5, 24)[lot] + rng.normal(0, 0.3, 24)[lot] * after + 0.2 * after * treated + rng.normal(size=384)
    low, high = difference_in_differences(y, treated.tolist(), after.tolist(), [str(k) for k in lot]).interval()
    return float(low <= 0.2 <= high)


def posterior_slope(rng: np.random.Generator) -> float:
    """Truth drawn from the prior: a posterior interval covers at its level exactly."""
    variance = 0.5 / rng.gamma(3.0)
    b = np.array([1.0, 0.3]) + rng.normal(size=2) * np.sqrt(variance / np.array([0.5, 4.0]))
    x = np.column_stack([np.ones(12), rng.normal(size=12)])
    y = x @ b + rng.normal(size=12) * math.sqrt(variance)
    after = belief([1.0, 0.3], [0.5, 4.0], 3.0, 0.5).update(12, x.T @ x, x.T @ y, float(y @ y))
    return float(abs(after.mean[1] - b[1]) <= t.ppf(0.975, 2 * after.a) * after.sigma()[1])


KINDS: dict[str, tuple[float, Draw]] = {
    "lot effect, shrunken, prediction error": (0.95, shrunken),
    "lot effect, unshrunken, Student t": (0.95, unshrunken_lots),
    "fixed effect, REML": (0.95, fixed_effect),
    "scatter between 12 lots, profile": (0.95, lot_scatter),
    "scatter of motors, profile": (0.95, motor_scatter),
    "tolerance bound, 15 units": (0.95, tolerance),
    "tolerance bound, unit of a new lot, 8 lots": (0.95, tolerance_with_lots),
    "parent limit, tolerance form": (0.95, inverted_tolerance),
    "parent limit, predictive form (content)": (0.90, inverted_predictive),
    "moment-corrected slope, sandwich": (0.95, corrected_slope),
    "York slope": (0.95, york_slope),
    "Weibull shape, profile": (0.95, weibull_shape),
    "Weibull B10, profile": (0.95, weibull_b10),
    "Weibull scale, zero failures": (0.95, weibull_bound),
    "accelerated B10 at use, delta method": (0.95, accelerated_life),
    "confidence sequence at all of 200 looks (at least)": (0.95, any_time),
    "Cp, chi-square": (0.95, cp),
    "Cpk bound, noncentral t": (0.95, cpk_bound),
    "Cpk, Bissell (approximate)": (0.95, cpk_bissell),
    "difference in differences, 24 lots clustered": (0.95, differences),
    "posterior slope under its prior": (0.95, posterior_slope),
}


def reached(kind: str, draws: int, seed: int = 1) -> tuple[float, int]:
    """Share covered, and how many data sets carried an answer; a refusal covers nothing and misleads nobody."""
    _, draw = KINDS[kind]
    told = []
    for number in range(draws):
        try:
            told.append(draw(np.random.Generator(np.random.Philox(key=[seed, number]))))
        except NoAnswer:
            continue
    return float(np.mean(told)), len(told)


def main(arguments: list[str]) -> int:
    """Print the table; exit code 1 when a stated 95 % interval covers less than 90 or, if two-sided, above 98 %."""
    draws = int(arguments[0]) if arguments else 1000
    print(f"{'kind of interval':<52} {'stated':>7} {'reached':>8} {'draws':>6} {'s':>6}")
    bad = 0
    for kind, (stated, _) in KINDS.items():
        start = time.perf_counter()
        share, told = reached(kind, draws)
        bad += not stated - 0.05 <= share <= (1.0 if "at least" in kind else stated + 0.03)
        print(f"{kind:<52} {stated:>7.3f} {share:>8.4f} {told:>6} {time.perf_counter() - start:>6.1f}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
