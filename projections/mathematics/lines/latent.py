"""A lot's true property from certificate, incoming inspection and process prior; with and without the motors' say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr
from scipy.stats import chi2

from projections.mathematics.answers import Array, NoAnswer, finite, positive

DISAGREE = 3.5
"""Lots whose value moves by more combined standard deviations are flagged (statistics b.2)."""
NODES = 41


@dataclass(frozen=True, slots=True)
class Measured:
    """One statement about a lot: a value with standard uncertainty `u`, or only that it lies between two bounds.

    `low`/`high` are for entries like "> x": the interval likelihood at the latent value (statistics b.3).
    """

    value: float | None
    u: float
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """Posterior of the true value: mean, sd, the quadrature it was read from, and the statements' disagreement."""

    mean: float
    sd: float
    nodes: Array
    weights: Array
    conflict: float
    conflict_p: float


def latent(statements: Sequence[Measured], prior: tuple[float, float] | None = None) -> Latent:
    """Combine statements and a prior (mean, sd); raises NoAnswer `not_identified` when nothing states a value."""
    points = [(m.value, m.u) for m in statements if m.value is not None]
    if prior is not None:
        points.append(prior)
    if not points:
        raise NoAnswer("not_identified", "Nothing states a value of this lot: only bounds, or nothing at all.")
    values, u = finite("values", [v for v, _ in points]), positive("u", [s for _, s in points])
    precision = float((1.0 / u**2).sum())
    mean, sd = float((values / u**2).sum()) / precision, math.sqrt(1.0 / precision)
    conflict = float((((values - mean) / u) ** 2).sum())
    p = float(chi2.sf(conflict, len(values) - 1)) if len(values) > 1 else 1.0
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    x, log_w = mean + sd * nodes, np.log(weights)
    for bound in statements:
        if bound.value is None:
            positive("u", bound.u)
            log_w = log_w + _between((bound.low - x) / bound.u, (bound.high - x) / bound.u)
    w = np.exp(log_w - log_w.max())
    w /= w.sum()
    centre = float(w @ x)
    return Latent(centre, math.sqrt(float(w @ (x - centre) ** 2)), x, w, conflict, p)


def _between(low: Array, high: Array) -> Array:
    """log(Phi(high) - Phi(low)) without cancellation for one-sided bounds."""
    if np.isneginf(low).all():
        return np.asarray(log_ndtr(high))
    if np.isposinf(high).all():
        return np.asarray(log_ndtr(-low))
    return np.asarray(np.log(np.maximum(ndtr(high) - ndtr(low), 1e-300)))


@dataclass(frozen=True, slots=True)
class Feedback:
    """A lot's value without (`cut`) and with (`full`) the motors' word, (mean, sd) each; do they contradict?"""

    cut: tuple[float, float]
    full: tuple[float, float]
    gap_sigmas: float
    contradicted: bool


def feedback(lot: Latent, effect: float, effect_sd: float, intercept: float, slope: float) -> Feedback:
    """The motors' lot effect = intercept + slope * value ± effect_sd as one more statement (statistics b.2)."""
    finite("effect", [effect, intercept, slope])
    positive("effect sd", effect_sd)
    if slope == 0.0:
        raise NoAnswer("not_identified", "The motors say nothing of a property that they do not depend on.")
    log_w = np.log(np.maximum(lot.weights, 1e-300)) - 0.5 * ((effect - intercept - slope * lot.nodes) / effect_sd) ** 2
    said, u = (effect - intercept) / slope, abs(effect_sd / slope)
    precision = 1.0 / lot.sd**2 + 1.0 / u**2
    mean, sd = (lot.mean / lot.sd**2 + said / u**2) / precision, math.sqrt(1.0 / precision)
    spread = float(np.exp(log_w - log_w.max()).sum())
    if spread > 3.0:
        w = np.exp(log_w - log_w.max()) / spread
        mean = float(w @ lot.nodes)
        sd = math.sqrt(float(w @ (lot.nodes - mean) ** 2))
    gap = abs(said - lot.mean) / math.hypot(u, lot.sd)
    return Feedback((lot.mean, lot.sd), (mean, sd), gap, gap > DISAGREE)
