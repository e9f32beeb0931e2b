"""Guard bands between a limit on the true value and the measured value that is accepted (JCGM 106:2012)."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import gamma, lognorm, norm

from projections.mathematics.answers import Array, NoAnswer, finite, positive, share
from projections.mathematics.quadrature import legendre

Side = Literal["lower", "upper"]
PANELS, ORDER = 48, 16


class Distribution(Protocol):
    """A continuous distribution of the true values of a supply, unit of the characteristic."""

    def pdf(self, x: Array) -> Array: ...
    def cdf(self, x: float) -> float: ...
    def ppf(self, q: float) -> float: ...


def supply(kind: str, **parameters: float) -> Distribution:
    """`normal` (mean, sd), `gamma` (shape, rate) or `lognormal` (mu, sigma of the logarithm)."""
    finite("supply parameters", list(parameters.values()))
    if kind == "normal":
        positive("sd", parameters["sd"])
        return norm(parameters["mean"], parameters["sd"])
    if kind == "gamma":
        positive("shape, rate", [parameters["shape"], parameters["rate"]])
        return gamma(parameters["shape"], scale=1.0 / parameters["rate"])
    if kind == "lognormal":
        return lognorm(parameters["sigma"], scale=math.exp(parameters["mu"]))
    raise NoAnswer("bad_input", f"No supply distribution is called {kind}.")


@dataclass(frozen=True, slots=True)
class Risks:
    """Shares of all items at one acceptance limit: accepted, consumer's and producer's risk together."""

    accepted: float
    false_accept: float
    false_reject: float

    @property
    def conditional(self) -> float:
        """P(nonconforming | accepted)."""
        if self.accepted <= 0.0:
            raise NoAnswer("no_supply_qualifies", "Nothing is accepted at this limit.")
        return self.false_accept / self.accepted


def simple_guard(limit: float, u: float, probability: float, side: Side = "lower") -> float:
    """Acceptance limit for one item with a flat prior: limit ± z u (JCGM 106, 8.3.2)."""
    finite("limit", limit)
    positive("u", u)
    step = float(norm.ppf(share("probability", probability))) * u
    return limit + step if side == "lower" else limit - step


def informed_guard(limit: float, u: float, mean: float, sd: float, probability: float, side: Side = "lower") -> float:
    """Acceptance limit for one item of a normal supply: P(true conforms | measured, supply) = probability.

    The posterior mean is linear in the measured value (JCGM 106, 7.2): mean + w (x - mean), w = sd²/(sd² + u²).
    """
    positive("u, sd", [u, sd])
    w = sd * sd / (sd * sd + u * u)
    step = float(norm.ppf(share("probability", probability))) * u * math.sqrt(w)
    bound = limit + step if side == "lower" else limit - step
    return mean + (bound - mean) / w


def nonconforming(kind: Distribution, limit: float, side: Side) -> float:
    """Share of the supply whose true value is outside the limit."""
    below = float(kind.cdf(limit))
    return below if side == "lower" else 1.0 - below


def risks(kind: Distribution, limit: float, u: float, accept: float, side: Side) -> Risks:
    """Consumer's and producer's risk at an acceptance limit, by panelled quadrature (JCGM 106, 9.5)."""
    positive("u", u)
    sign = 1.0 if side == "lower" else -1.0

    def pass_share(low: float, high: float) -> tuple[float, float]:
        x, w = _panels(low, high, (limit, accept, accept - 8 * u, accept + 8 * u))
        mass = w * kind.pdf(x)
        passes = ndtr(sign * (x - accept) / u)
        return float(mass @ passes), float(mass @ (1.0 - passes))

    ends = float(kind.ppf(1e-14)), float(kind.ppf(1.0 - 1e-14))
    low, high = min(ends[0], limit), max(ends[1], limit)
    outside, inside = ((low, limit), (limit, high)) if side == "lower" else ((limit, high), (low, limit))
    false_accept, _ = pass_share(*outside)
    right, false_reject = pass_share(*inside)
    return Risks(false_accept + right, false_accept, false_reject)


def _panels(low: float, high: float, breaks: tuple[float, ...]) -> tuple[Array, Array]:
    if high <= low:
        return np.zeros(0), np.zeros(0)
    edges = np.union1d(np.linspace(low, high, PANELS + 1), [b for b in breaks if low < b < high])
    nodes, weights = legendre(ORDER)
    half = np.diff(edges)[:, None] / 2.0
    return (edges[:-1, None] + half * (nodes + 1.0)).ravel(), (half * weights).ravel()


def acceptance_limit(
    kind: Distribution, limit: float, u: float, target: float, side: Side, *, conditional: bool = False
) -> float:
    """The acceptance limit at which P(nonconforming and accepted), or `conditional` P(nonconforming | accepted), meets
    the target. Raises NoAnswer `no_limit_needed` or `no_supply_qualifies`."""
    share("target", target)
    sign = 1.0 if side == "lower" else -1.0
    spread = float(kind.ppf(0.999)) - float(kind.ppf(0.001))

    def excess(step: float) -> float:
        found = risks(kind, limit, u, limit + sign * step, side)
        if conditional:
            return found.conditional - target if found.accepted > 1e-12 else -target
        return found.false_accept - target

    loose = -(spread + 10.0 * u)
    if excess(loose) <= 0.0:
        raise NoAnswer("no_limit_needed", "The supply meets the target without any acceptance limit.")
    tight = 0.0
    while excess(tight) > 0.0:
        tight += 0.5 * u
        if tight > spread + 12.0 * u:
            raise NoAnswer("no_supply_qualifies", "No acceptance limit brings the risk down to the target.")
    start = tight - 0.5 * u if tight > 0.0 else loose
    return limit + sign * float(brentq(excess, start, tight, xtol=1e-12 * max(abs(limit), spread)))
