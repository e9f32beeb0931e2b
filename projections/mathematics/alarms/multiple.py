"""A closed batch of p values: false discovery rate and family-wise error, in input order."""

from collections.abc import Callable, Sequence

import numpy as np

from projections.mathematics.answers import Array, NoAnswer, finite


def _checked(p: Sequence[float]) -> Array:
    values = finite("p values", list(p))
    if (values < 0).any() or (values > 1).any():
        raise NoAnswer("bad_input", "A p value lies outside 0 to 1.")
    return values


def _step_up(values: Array, factor: float) -> Array:
    order = np.argsort(values, kind="stable")[::-1]
    m = len(values)
    scaled = factor * m / np.arange(m, 0, -1) * values[order]
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> Array:
    """Adjusted p (Benjamini & Hochberg 1995)."""
    return _step_up(_checked(p), 1.0)


def benjamini_yekutieli(p: Sequence[float]) -> Array:
    """Adjusted p under any dependence (Benjamini & Yekutieli 2001)."""
    values = _checked(p)
    return _step_up(values, float((1.0 / np.arange(1, len(values) + 1)).sum()))


def bonferroni(p: Sequence[float]) -> Array:
    """Adjusted p, family-wise."""
    values = _checked(p)
    return np.asarray(np.minimum(values * len(values), 1.0))


def holm(p: Sequence[float]) -> Array:
    """Adjusted p, family-wise, step-down (Holm 1979)."""
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.arange(len(values), 0, -1) * values[order]), 1.0)
    return adjusted


METHODS: dict[str, Callable[[Sequence[float]], Array]] = {
    "BH": benjamini_hochberg,
    "BY": benjamini_yekutieli,
    "bonferroni": bonferroni,
    "holm": holm,
}
