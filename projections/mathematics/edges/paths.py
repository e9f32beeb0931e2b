"""Longer paths with shared data: fixed-seed draws over the posteriors of the edges."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import multivariate_normal

from projections.mathematics.answers import Array, NoAnswer, finite

DRAWS = 4000
"""Enough for 5 % of the width of an interval (statistics c.2)."""


def path_draws(mean: Array, covariance: Array, paths: Sequence[Sequence[int]], rng: np.random.Generator) -> Array:
    """Draws (n, paths) of products of slopes along each path, slopes ~ N(mean, covariance) jointly.

    `rng` is a counter-based generator (Philox) keyed by the state's hash, so that replays agree.
    """
    centre, cover = finite("slopes", mean), finite("covariance", covariance)
    if np.linalg.eigvalsh(cover)[0] < -1e-10 * max(float(np.trace(cover)), 1e-300):
        raise NoAnswer("bad_input", "The covariance of the slopes has a negative direction.")
    drawn = multivariate_normal(centre, cover, allow_singular=True).rvs(DRAWS, random_state=rng)
    table = np.asarray(drawn).reshape(DRAWS, len(centre))
    return np.column_stack([table[:, list(path)].prod(axis=1) for path in paths])


def interval(draws: Array, level: float = 0.95) -> tuple[float, float]:
    """The central interval of the draws."""
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
