"""The two-parameter Weibull with right-censored lives, its likelihood profiles and intervals."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from projections.mathematics.answers import Array, NoAnswer, finite, positive, same_length, share


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """Times (n,) in h, failed (n,) 1 or 0 (or a share), weight (n,) repeated units or fractional membership."""

    time: Array
    failed: Array
    weight: Array

    @property
    def failures(self) -> float:
        """Weighted number of failures r."""
        return float(self.weight @ self.failed)


def lives(time: ArrayLike, failed: ArrayLike, weight: ArrayLike | None = None) -> Lives:
    """Checked lives; raises NoAnswer `bad_input` on times that are not above zero, or flags outside 0..1."""
    t = positive("time", time)
    d = finite("failed", failed)
    w = np.ones_like(t) if weight is None else finite("weight", weight)
    same_length(time=t, failed=d, weight=w)
    if (d < 0).any() or (d > 1).any() or (w < 0).any():
        raise NoAnswer("bad_input", "A unit has failed (1) or is censored (0), and counts a positive number of times.")
    return Lives(t[w > 0], d[w > 0], w[w > 0])


@dataclass(frozen=True, slots=True, eq=False)
class Weibull:
    """Maximum likelihood: shape, scale (h), log likelihood, covariance (2, 2) of (log scale, log shape)."""

    shape: float
    scale: float
    log_likelihood: float
    covariance: Array
    units: float
    failures: float
    exponential_mean: float
    data: Lives

    def quantile(self, q: float) -> float:
        """Life by which a share q has failed, h."""
        return self.scale * math.pow(-math.log1p(-share("q", q)), 1.0 / self.shape)


def shape_score(shape: float, logs: Array, data: Lives) -> tuple[float, float]:
    """Derivative of the profile log likelihood in the shape, and its derivative; logs = log(time/unit)."""
    r = data.failures
    power = data.weight * np.exp(shape * (logs - logs.max()))
    total = float(power.sum())
    first, second = float(power @ logs) / total, float(power @ logs**2) / total
    value = r / shape + float((data.weight * data.failed) @ logs) - r * first
    return value, -r / shape**2 - r * (second - first * first)


def fit(data: Lives) -> Weibull:
    """Profile likelihood in the shape by safeguarded Newton (statistics d).

    Raises NoAnswer `too_few` (no life), `no_rate` (no failure), `no_finite_limit` (the shape grows without bound: all
    failed at one time with nothing living longer).
    """
    if len(data.time) == 0:
        raise NoAnswer("too_few", "There is no unit on test.")
    r = data.failures
    if r <= 0:
        raise NoAnswer("no_rate", "Nothing has failed: there is a lower bound on the life, but no estimate.")
    _check_bounded(data)
    unit = float(np.exp((data.weight * np.log(data.time)).sum() / data.weight.sum()))
    logs = np.log(data.time / unit)
    shape = solve_shape(lambda b: shape_score(b, logs, data))
    scale = unit * _scale(shape, logs, data)
    w = data.weight * np.exp(shape * (np.log(data.time / scale)))
    z = shape * np.log(data.time / scale)
    cross = shape * float(w @ z)
    information = np.array([[shape**2 * float(w.sum()), -cross], [-cross, r + float(w @ z**2)]])
    return Weibull(
        shape, scale, log_likelihood(data, shape, scale), np.linalg.inv(information), float(data.weight.sum()), r,
        float(data.weight @ data.time) / r, data,
    )  # fmt: skip


def _check_bounded(data: Lives) -> None:
    ended = data.time[data.failed > 0]
    if len(set(ended.tolist())) == 1 and ended[0] >= data.time.max():
        raise NoAnswer(
            "no_finite_limit", "All failures came at one time and nothing lived longer: the shape has no upper end."
        )


def solve_shape(score: Callable[[float], tuple[float, float]]) -> float:
    """The root of a falling score by Newton on log shape, inside a bracket that only shrinks."""
    low, high, shape = 0.0, math.inf, 1.0
    for _ in range(200):
        value, slope = score(shape)
        if value > 0:
            low = shape
        else:
            high = shape
        trial = shape * math.exp(max(-1.5, min(1.5, -value / (slope * shape)))) if slope < 0 else shape
        if not low < trial < high:
            trial = math.sqrt(low * high) if low > 0 and math.isfinite(high) else (2 * low if low > 0 else high / 2)
        if abs(trial - shape) <= 1e-14 * shape:
            return float(trial)
        shape = trial
        if shape > 1e6:
            raise NoAnswer("no_finite_limit", "The shape grows without bound: the failures came at one time.")
    return float(shape)


def _scale(shape: float, logs: Array, data: Lives) -> float:
    top = float(logs.max())
    total = float(data.weight @ np.exp(shape * (logs - top)))
    return math.exp(top + (math.log(total) - math.log(data.failures)) / shape)


def log_likelihood(data: Lives, shape: float, scale: float) -> float:
    """r log b - r b log eta + (b-1) sum_fail log t - sum_all (t/eta)^b."""
    logs = np.log(data.time)
    r = data.failures
    with np.errstate(over="ignore"):
        spent = float(data.weight @ np.exp(shape * (logs - math.log(scale))))
    ended = float((data.weight * data.failed) @ logs)
    return r * math.log(shape) - r * shape * math.log(scale) + (shape - 1.0) * ended - spent


def shape_interval(found: Weibull, level: float = 0.95) -> tuple[float, float]:
    """Profile-likelihood interval of the shape."""
    logs = np.log(found.data.time)

    def profile(shape: float) -> float:
        return log_likelihood(found.data, shape, _scale(shape, logs, found.data))

    return _interval(profile, found.shape, found.log_likelihood, math.sqrt(found.covariance[1, 1]), level)


def life_interval(found: Weibull, q: float | None = None, level: float = 0.95) -> tuple[float, float]:
    """Profile-likelihood interval of the q life (h), or of the scale when q is None."""
    c = 1.0 if q is None else -math.log1p(-share("q", q))
    centre = found.scale if q is None else found.quantile(q)
    se = math.sqrt(found.covariance[0, 0]) + abs(math.log(c)) / found.shape * math.sqrt(found.covariance[1, 1])

    def profile(life: float) -> float:
        def minus(log_shape: float) -> float:
            shape = math.exp(log_shape)
            return -log_likelihood(found.data, shape, life * c ** (-1.0 / shape))

        start = math.log(found.shape)
        best = minimize_scalar(minus, bounds=(start - 4, start + 4), method="bounded", options={"xatol": 1e-9})
        return -float(best.fun)

    return _interval(profile, centre, found.log_likelihood, se, level)


def _interval(
    profile: Callable[[float], float], centre: float, top: float, se: float, level: float
) -> tuple[float, float]:
    """Where the profile falls by chi2/2, searched on the log scale."""
    drop = 0.5 * float(chi2.ppf(share("level", level), 1))

    def gap(log: float) -> float:
        return float(profile(math.exp(log))) - top + drop

    middle = math.log(centre)
    ends = []
    for sign in (-1.0, 1.0):
        step = max(se, 1e-6)
        while gap(middle + sign * step) > 0:
            step *= 1.6
            if step > 80.0:
                raise NoAnswer("no_finite_limit", "The data put no end on this parameter.")
        ends.append(
            math.exp(brentq(gap, min(middle, middle + sign * step), max(middle, middle + sign * step), xtol=1e-11))
        )
    return ends[0], ends[1]


@dataclass(frozen=True, slots=True)
class Bound:
    """Lower bounds of scale and q life (h) at an assumed shape: printed with that shape, never without."""

    shape: float
    scale: float
    life: float


def zero_failures(data: Lives, shape: float, q: float, confidence: float = 0.95) -> Bound:
    """eta_L = (sum t^b / -log(1-g))^(1/b) without a failure (Weibayes; statistics d)."""
    positive("shape", shape)
    if data.failures > 0:
        raise NoAnswer("bad_input", "Something has failed: there is an estimate, not only a bound.")
    if len(data.time) == 0:
        raise NoAnswer("too_few", "There is no unit on test.")
    top = float(data.time.max())
    total = float(data.weight @ (data.time / top) ** shape)
    scale = top * (total / -math.log1p(-share("confidence", confidence))) ** (1.0 / shape)
    return Bound(shape, scale, scale * (-math.log1p(-share("q", q))) ** (1.0 / shape))


def of_mode(time: ArrayLike, mode: list[str | None], asked: str, weight: ArrayLike | None = None) -> Lives:
    """Lives of one failure mode, the others as censoring (competing modes; statistics d)."""
    return lives(time, [1.0 if name == asked else 0.0 for name in mode], weight)
