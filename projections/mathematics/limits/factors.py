"""Tolerance factors of a normal sample: exact one- and two-sided, and the printed approximations by name."""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, nct, norm

from projections.mathematics.answers import Array, NoAnswer, share
from projections.mathematics.quadrature import legendre


def _sample(n: float, content: float, confidence: float) -> tuple[float, float]:
    if not n >= 2:
        raise NoAnswer("too_few", f"A tolerance factor needs at least two units, not {n}.")
    return share("content", content), share("confidence", confidence)


def one_sided(n: float, content: float, confidence: float, *, effective: float | None = None) -> float:
    """k with P{P(X > mean - k s) >= content} = confidence; `n` - 1 dof, `effective` units behind the mean.

    Exact by the noncentral t: k = t'_g(n-1, z_p sqrt n)/sqrt n.
    """
    p, g = _sample(n, content, confidence)
    units = n if effective is None else effective
    return float(nct.ppf(g, n - 1, float(norm.ppf(p)) * math.sqrt(units))) / math.sqrt(units)


def one_sided_natrella(n: float, content: float, confidence: float) -> float:
    """Natrella's closed form (NIST/SEMATECH e-Handbook 7.2.6.3): approximate, far off below n = 10."""
    p, g = _sample(n, content, confidence)
    zp, zg = float(norm.ppf(p)), float(norm.ppf(g))
    a, b = 1.0 - zg**2 / (2.0 * (n - 1)), zp**2 - zg**2 / n
    if a <= 0 or zp**2 - a * b < 0:
        raise NoAnswer("no_finite_limit", "Natrella's approximation does not exist for so few units.")
    return (zp + math.sqrt(zp**2 - a * b)) / a


def two_sided_howe(n: int, content: float, confidence: float) -> float:
    """Howe (1969): within 1 % of exact for n >= 10."""
    p, g = _sample(n, content, confidence)
    z = float(norm.ppf((1.0 + p) / 2.0))
    return z * math.sqrt((n - 1) * (1.0 + 1.0 / n) / float(chi2.ppf(1.0 - g, n - 1)))


def two_sided_guenther(n: int, content: float, confidence: float) -> float:
    """Howe's factor with Guenther's (1977) correction."""
    _, g = _sample(n, content, confidence)
    spare = n - 3.0 - float(chi2.ppf(1.0 - g, n - 1))
    return two_sided_howe(n, content, confidence) * math.sqrt(1.0 + spare / (2.0 * (n + 1) ** 2))


def two_sided(n: int, content: float, confidence: float) -> float:
    """k with P{P(mean - k s < X < mean + k s) >= content} = confidence, exact by one quadrature."""
    p, g = _sample(n, content, confidence)
    nodes, weights = legendre(160)
    reach = 8.5 / math.sqrt(n)
    x = 0.5 * reach * (nodes + 1.0)
    weight = reach * weights * norm.pdf(x * math.sqrt(n)) * math.sqrt(n)
    half = _half_width(x, p)

    def confident(k: float) -> float:
        return float(weight @ chi2.sf((n - 1) * half**2 / k**2, n - 1)) - g

    guess = two_sided_howe(n, p, g)
    return float(brentq(confident, 0.3 * guess, 3.0 * guess, xtol=1e-12))


def _half_width(x: Array, content: float) -> Array:
    """r with Phi(x + r) - Phi(x - r) = content, by Newton from above (concave, hence safe)."""
    r = np.abs(x) + float(norm.ppf((1.0 + content) / 2.0))
    for _ in range(60):
        gap = norm.cdf(x + r) - norm.cdf(x - r) - content
        step = gap / (norm.pdf(x + r) + norm.pdf(x - r))
        r = r - np.clip(step, -0.5, 0.5)
        if float(np.abs(step).max()) < 1e-14:
            break
    return np.asarray(r)


def nonparametric_size(content: float, confidence: float) -> int:
    """Units needed so that the smallest is a one-sided bound: 1 - p^n >= g (n = 299 for 99 %/95 %)."""
    return math.ceil(math.log(1.0 - share("confidence", confidence)) / math.log(share("content", content)) - 1e-12)
