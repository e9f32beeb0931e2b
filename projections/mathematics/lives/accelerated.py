"""Accelerated life: log time linear in covariates, Weibull or lognormal, right-censored."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr
from scipy.stats import norm

from projections.mathematics.answers import Array, NoAnswer, finite, share
from projections.mathematics.lives.weibull import Lives

Law = Literal["weibull", "lognormal"]


@dataclass(frozen=True, slots=True, eq=False)
class Accelerated:
    """log t = x'b + sigma e: b (p,), sigma, covariance (p+1, p+1) of (b, log sigma), log likelihood in hours."""

    law: Law
    beta: Array
    sigma: float
    covariance: Array
    log_likelihood: float

    def errors(self) -> Array:
        """Standard errors of b (p,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)[:-1]))

    def life(self, x: ArrayLike, q: float, level: float = 0.95) -> tuple[float, float, float]:
        """The q life at a row x (p,) with its interval by the delta method on the log scale, h."""
        row = finite("x", x)
        share("q", q)
        e = math.log(-math.log1p(-q)) if self.law == "weibull" else float(norm.ppf(q))
        gradient = np.append(row, self.sigma * e)
        centre = float(row @ self.beta) + self.sigma * e
        half = float(norm.ppf((1.0 + share("level", level)) / 2.0))
        half *= math.sqrt(float(gradient @ self.covariance @ gradient))
        return math.exp(centre), math.exp(centre - half), math.exp(centre + half)


def fit(data: Lives, x: ArrayLike, law: Law) -> Accelerated:
    """Newton with the analytic Hessian on centred and scaled covariates; x (n, p) with a leading 1 (statistics d).

    Raises NoAnswer `no_rate` (nothing failed), `not_estimable` (covariates aliased or without failures to tell),
    `too_few`, `did_not_converge`.
    """
    table = finite("x", x).reshape(len(data.time), -1)
    if data.failures <= 0:
        raise NoAnswer("no_rate", "Nothing has failed: an accelerated test without failures gives no line.")
    if len(data.time) <= table.shape[1]:
        raise NoAnswer("too_few", "Fewer lives than parameters.")
    centre = table.mean(axis=0)
    unit = table.std(axis=0)
    if (unit[1:] == 0).any():
        raise NoAnswer("not_estimable", "A covariate does not vary between the tests.")
    centre[0], unit[0] = 0.0, 1.0
    scaled = (table - centre) / unit
    if np.linalg.matrix_rank(scaled) < scaled.shape[1]:
        raise NoAnswer("not_estimable", "The covariates are sums of each other.")
    y = np.log(data.time)
    origin = float(y.mean())
    theta, top, hessian = _newton(scaled, y - origin, data, law)
    theta[0] += origin
    p = table.shape[1]
    turn = np.eye(p + 1)
    turn[:p, :p] = np.diag(1.0 / unit)
    turn[0, 1:p] = -centre[1:] / unit[1:]
    covariance = turn @ np.linalg.inv(-hessian) @ turn.T
    ended = float((data.weight * data.failed) @ y)
    return Accelerated(law, turn[:p, :p] @ theta[:p], math.exp(float(theta[p])), covariance, top - ended)


def _pieces(z: Array, d: Array, law: Law) -> tuple[Array, Array, Array]:
    """Log density or survival of the standardized log life, and its first two derivatives in z."""
    if law == "weibull":
        w = np.exp(np.minimum(z, 700.0))
        return d * z - w, d - w, -w
    hazard = np.exp(norm.logpdf(z) - log_ndtr(-z))
    value = np.where(d > 0, norm.logpdf(z), log_ndtr(-z))
    return value, np.where(d > 0, -z, -hazard), np.where(d > 0, -1.0, -hazard * (hazard - z))


def _evaluate(theta: Array, x: Array, y: Array, data: Lives, law: Law) -> tuple[float, Array, Array]:
    p = x.shape[1]
    sigma = math.exp(float(theta[p]))
    z = (y - x @ theta[:p]) / sigma
    value, first, second = _pieces(z, data.failed, law)
    w, d = data.weight, data.failed
    total = float(w @ value) - data.failures * float(theta[p])
    gradient = np.append(-(w * first) @ x / sigma, -float((w * first) @ z) - float(w @ d))
    hessian = np.empty((p + 1, p + 1))
    hessian[:p, :p] = (x * (w * second)[:, None]).T @ x / sigma**2
    hessian[:p, p] = hessian[p, :p] = (w * (second * z + first)) @ x / sigma
    hessian[p, p] = float(w @ (second * z**2 + first * z))
    return total, gradient, hessian


def _newton(x: Array, y: Array, data: Lives, law: Law) -> tuple[Array, float, Array]:
    start = np.linalg.lstsq(x * np.sqrt(data.weight)[:, None], y * np.sqrt(data.weight), rcond=None)[0]
    spread = float(np.std(y - x @ start)) or 1.0
    theta = np.append(start, math.log(spread))
    value, gradient, hessian = _evaluate(theta, x, y, data, law)
    for _ in range(200):
        values, vectors = np.linalg.eigh(hessian)
        step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-8))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        factor = 1.0
        while factor > 1e-10:
            trial = _evaluate(theta + factor * step, x, y, data, law)
            if math.isfinite(trial[0]) and trial[0] >= value - 1e-13 * abs(value):
                break
            factor *= 0.5
        theta = theta + factor * step
        value, gradient, hessian = trial
        if theta[-1] < -12 or float(np.abs(theta).max()) > 60:
            raise NoAnswer("not_estimable", "The lives do not fix the line: its coefficients grow without bound.")
        if float(np.abs(factor * step).max()) < 1e-12:
            break
    else:
        raise NoAnswer("did_not_converge", "The likelihood of the accelerated test has no maximum that was reached.")
    if np.linalg.eigvalsh(hessian)[-1] >= 0:
        raise NoAnswer("not_estimable", "The likelihood is flat: the lives do not fix the line.")
    return theta, value, hessian
