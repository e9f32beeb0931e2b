"""Lives by lot: one shape for all, a scale for each, and whether the lots differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from projections.mathematics.answers import Array, NoAnswer, positive
from projections.mathematics.lives.weibull import Lives, fit, log_likelihood, solve_shape


@dataclass(frozen=True, slots=True)
class Ratio:
    """A likelihood-ratio statistic with its degrees of freedom and chi-square p value."""

    statistic: float
    dof: int
    p: float


@dataclass(frozen=True, slots=True)
class ByLot:
    """Common shape, scale by lot (h; None without failures), log likelihoods of both models, and their ratio."""

    shape: float
    scale: dict[str, float | None]
    failures: dict[str, float]
    common: float
    by_lot: float
    ratio: Ratio


def pooled(lots: Mapping[str, Lives]) -> Lives:
    """All lots as one."""
    kept = list(lots.values())
    return Lives(*(np.concatenate([getattr(lot, part) for lot in kept]) for part in ("time", "failed", "weight")))


def by_lot(lots: Mapping[str, Lives]) -> ByLot:
    """Common shape and scale by lot; lots without failures enter by their exposure and count in the dof.

    Raises NoAnswer `too_few_levels`, `no_rate`, `no_finite_limit` (statistics d).
    """
    if len(lots) < 2:
        raise NoAnswer("too_few_levels", "One lot cannot be compared with others.")
    whole = fit(pooled(lots))
    ended = {name: lot for name, lot in lots.items() if lot.failures > 0}
    unit = whole.scale
    if all(_alike(lot) for lot in ended.values()):
        raise NoAnswer("no_finite_limit", "Each lot failed at one time and nothing lived longer: no shape.")
    stack = _Stack(list(ended.values()), unit)
    shape = solve_shape(stack.score)
    scale: dict[str, float | None] = dict.fromkeys(lots)
    for name, value in zip(ended, stack.scales(shape), strict=True):
        scale[name] = float(value)
    total = sum(log_likelihood(lot, shape, scale[name] or 1.0) for name, lot in ended.items())
    statistic = max(2.0 * (total - whole.log_likelihood), 0.0)
    dof = len(lots) - 1
    ratio = Ratio(statistic, dof, float(chi2.sf(statistic, dof)))
    failures = {name: lot.failures for name, lot in lots.items()}
    return ByLot(shape, scale, failures, whole.log_likelihood, total, ratio)


def _alike(lot: Lives) -> bool:
    return len(set(lot.time[lot.failed > 0].tolist())) == 1 and float(lot.time[lot.failed > 0][0]) >= lot.time.max()


class _Stack:
    """All lots in one array, so that a score costs one pass whatever the number of lots."""

    def __init__(self, lots: list[Lives], unit: float) -> None:
        self.logs = np.log(np.concatenate([lot.time for lot in lots]) / unit)
        self.weight = np.concatenate([lot.weight for lot in lots])
        self.starts = np.cumsum([0, *(len(lot.time) for lot in lots[:-1])])
        self.top = np.maximum.reduceat(self.logs, self.starts)
        self.size = [len(lot.time) for lot in lots]
        self.r = np.array([lot.failures for lot in lots])
        self.ended = float(sum((lot.weight * lot.failed) @ np.log(lot.time / unit) for lot in lots))
        self.unit = unit

    def score(self, shape: float) -> tuple[float, float]:
        """Derivative of sum_k r_k log(r_k/S_k(b)) + r log b + b sum log t in b, and its derivative."""
        power = self.weight * np.exp(shape * (self.logs - np.repeat(self.top, self.size)))
        total = np.add.reduceat(power, self.starts)
        first = np.add.reduceat(power * self.logs, self.starts) / total
        second = np.add.reduceat(power * self.logs**2, self.starts) / total
        r = float(self.r.sum())
        value = r / shape + self.ended - float(self.r @ first)
        return value, -r / shape**2 - float(self.r @ (second - first**2))

    def scales(self, shape: float) -> Array:
        """Scale by lot, h."""
        power = self.weight * np.exp(shape * (self.logs - np.repeat(self.top, self.size)))
        total = np.add.reduceat(power, self.starts)
        return np.asarray(self.unit * np.exp(self.top + np.log(total / self.r) / shape))


def shapes_differ(lots: Mapping[str, Lives]) -> tuple[float, Ratio]:
    """Log likelihood with shape and scale by lot, and its ratio against a common shape."""
    base = by_lot(lots)
    separate = [fit(lot).log_likelihood for lot in lots.values() if lot.failures > 0]
    statistic = max(2.0 * (sum(separate) - base.by_lot), 0.0)
    dof = len(separate) - 1
    return sum(separate), Ratio(statistic, dof, float(chi2.sf(statistic, dof)) if dof else 1.0)


def bootstrap_p(lots: Mapping[str, Lives], rng: np.random.Generator, draws: int = 999) -> float:
    """Parametric bootstrap p of the scale ratio under one common scale, each unit censored where it was (d).

    A unit that failed is censored, in the draws, at the longest time of its lot. `rng` carries the fixed seed.
    """
    observed = by_lot(lots)
    whole = fit(pooled(lots))
    ends = {name: np.where(lot.failed > 0, lot.time.max(), lot.time) for name, lot in lots.items()}
    beyond = 0
    done = 0
    for _ in range(draws):
        drawn = {}
        for name, lot in lots.items():
            t = whole.scale * rng.weibull(whole.shape, len(lot.time))
            drawn[name] = Lives(np.minimum(t, ends[name]), (t <= ends[name]).astype(float), lot.weight)
        try:
            beyond += by_lot(drawn).ratio.statistic >= observed.ratio.statistic
            done += 1
        except NoAnswer:
            continue
    if done == 0:
        raise NoAnswer("no_rate", "Under the common scale nothing would fail: the ratio has no reference.")
    return (beyond + 1) / (done + 1)


@dataclass(frozen=True, slots=True)
class Frailty:
    """Posterior of a lot's hazard multiplier lambda: Gamma(shape, rate); mean above 1 fails sooner than the others."""

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Expected multiplier of the hazard."""
        return self.shape / self.rate


def frailty(lots: Mapping[str, Lives], shape: float, scale: float, spread: float) -> dict[str, Frailty]:
    """Gamma frailty at fixed Weibull shape: lambda_k ~ Gamma(1/v, 1/v), posterior by (r_k, E_k) (statistics d).

    `spread` is the sd of lambda between lots. Mergeable: r_k and E_k = sum (t/scale)^shape add. No infinite scales.
    """
    positive("shape, scale, spread", [shape, scale, spread])
    a = 1.0 / spread**2
    return {
        name: Frailty(a + lot.failures, a + float(lot.weight @ np.exp(shape * np.log(lot.time / scale))))
        for name, lot in lots.items()
    }


def rate_bounds(failures: float, exposure: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a failure rate per unit of exposure (Garwood 1936); raises NoAnswer `no_rate` on no exposure."""
    if not exposure > 0 or not math.isfinite(exposure):
        raise NoAnswer("no_rate", "Failures without the units that were at risk give no rate.")
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if failures == 0 else float(chi2.ppf(tail, 2 * failures)) / (2 * exposure)
    return low, float(chi2.isf(tail, 2 * failures + 2)) / (2 * exposure)
