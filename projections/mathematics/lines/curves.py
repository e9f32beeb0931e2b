"""A line or a knee through lot effects at latent lot values, fitted by quadrature and chosen by leave-lot-out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from projections.mathematics.answers import Array, NoAnswer, finite, positive, same_length
from projections.mathematics.lines.latent import Latent

Curve = Callable[[Array, Array], Array]


def straight(x: Array, theta: Array) -> Array:
    """theta0 + theta1 x on the standardized property."""
    return np.asarray(theta[0] + theta[1] * x)


def knee(x: Array, theta: Array) -> Array:
    """Three-parameter softplus: level theta0, slope theta1 below the knee theta2, of a fixed half-width of 0.25 sd."""
    return np.asarray(theta[0] + theta[1] * 0.25 * np.logaddexp(0.0, (theta[2] - x) / 0.25))


FORMS: dict[str, tuple[Curve, int]] = {"straight": (straight, 2), "knee": (knee, 3)}


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A curve of effect on property: `at(x)` in the unit of y, scatter between lots around it, and its deviance."""

    form: str
    theta: Array
    centre: float
    unit: float
    lot_sd: float
    deviance: float
    left_out: float | None

    def at(self, x: Array | float) -> Array:
        """The fitted effect at true values x, unit of the characteristic."""
        return FORMS[self.form][0](
            (np.atleast_1d(np.asarray(x, dtype=np.float64)) - self.centre) / self.unit, self.theta
        )

    def slope(self, x: float) -> float:
        """d effect / d property; the motor variance at x includes slope² times the within-lot variance."""
        h = 1e-5 * self.unit
        return float((self.at(x + h)[0] - self.at(x - h)[0]) / (2.0 * h))


def fit_curve(lots: Sequence[Latent], effects: Array, errors: Array, form: str) -> Fitted:
    """Maximum likelihood with each lot's value integrated out; errors are the lots' standard errors (statistics c.2).

    Raises NoAnswer `too_few` below two lots more than parameters, `no_variation` when the lots' values do not differ.
    """
    y, se = finite("effects", effects), positive("errors", errors)
    same_length(lots=lots, effects=y, errors=se)
    count = FORMS[form][1]
    if len(lots) < count + 2:
        raise NoAnswer("too_few", f"{len(lots)} lots cannot carry a curve of {count} parameters.", n=len(lots))
    centre = float(np.mean([lot.mean for lot in lots]))
    unit = float(np.std([lot.mean for lot in lots]))
    if unit == 0.0:
        raise NoAnswer("no_variation", "The lots' properties do not differ: there is no curve to fit.")
    x = np.array([(lot.nodes - centre) / unit for lot in lots])
    log_w = np.log(np.maximum(np.array([lot.weights for lot in lots]), 1e-300))
    scale = float(np.std(y)) or float(se.mean())

    def deviance(free: Array) -> float:
        var = se**2 + (scale * math.exp(min(float(free[-1]), 20.0))) ** 2
        curve = FORMS[form][0](x, free[:-1] * _units(count, scale))
        log_density = log_w - 0.5 * (y[:, None] - curve) ** 2 / var[:, None] - 0.5 * np.log(2 * np.pi * var)[:, None]
        return -2.0 * float(logsumexp(log_density, axis=1).sum())

    best = min(
        (minimize(deviance, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000})
         for start in _starts(x, y / scale, form)),
        key=lambda found: float(found.fun),
    )  # fmt: skip
    theta = np.asarray(best.x[:-1]) * _units(count, scale)
    return Fitted(form, theta, centre, unit, scale * math.exp(float(best.x[-1])), float(best.fun), None)


def _units(count: int, scale: float) -> Array:
    return np.array([scale, scale, 1.0][:count])


def _starts(x: Array, y: Array, form: str) -> list[Array]:
    middle = x.mean(axis=1)
    slope, level = np.polyfit(middle, y, 1)
    if form == "straight":
        return [np.array([level, slope, -1.5])]
    return [np.array([float(np.median(y)), -slope * 1.5, place, -1.5]) for place in (-1.0, 0.0, 1.0)]


def choose(lots: Sequence[Latent], effects: Array, errors: Array) -> tuple[Fitted, dict[str, float]]:
    """The form that predicts left-out lots better, and the mean minus log predictive density of each form."""
    scores: dict[str, float] = {}
    fits: dict[str, Fitted] = {}
    y, se = finite("effects", effects), positive("errors", errors)
    for form in FORMS:
        try:
            fits[form] = fit_curve(lots, y, se, form)
            total = 0.0
            for out in range(len(lots)):
                kept = [place for place in range(len(lots)) if place != out]
                less = fit_curve([lots[place] for place in kept], y[kept], se[kept], form)
                said = float(lots[out].weights @ less.at(lots[out].nodes))
                var = se[out] ** 2 + less.lot_sd**2
                total += 0.5 * ((y[out] - said) ** 2 / var + math.log(2.0 * math.pi * var))
            scores[form] = total / len(lots)
        except NoAnswer:
            if form == "straight":
                raise
    best = min(scores, key=lambda form: scores[form])
    return fits[best], scores
