"""Difference in differences with lots as clusters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from projections.mathematics.answers import NoAnswer, finite, same_length
from projections.mathematics.studies.regression import clustered, ols


@dataclass(frozen=True, slots=True)
class Difference:
    """The effect (unit of y), its error for independent motors and clustered by lot, and before/after alone."""

    effect: float
    se_independent: float
    se_clustered: float
    clusters: int
    before_after: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Clustered, Student t with G - 1 degrees of freedom (statistics h.2)."""
        half = float(t.ppf((1.0 + level) / 2.0, self.clusters - 1)) * self.se_clustered
        return self.effect - half, self.effect + half


def difference_in_differences(
    y: ArrayLike, treated: Sequence[bool], after: Sequence[bool], cluster: Sequence[str]
) -> Difference:
    """OLS of y on group x period, CR1 standard errors (Cameron & Miller 2015).

    Raises NoAnswer `not_estimable` when one of the four cells is empty, `too_few`, `too_few_levels`.
    """
    response = finite("y", y)
    same_length(y=response, treated=treated, after=after, cluster=cluster)
    group, period = np.asarray(treated, dtype=float), np.asarray(after, dtype=float)
    counts = {(g, p): int(((group == g) & (period == p)).sum()) for g in (0, 1) for p in (0, 1)}
    if min(counts.values()) == 0:
        raise NoAnswer("not_estimable", "Revised and unaffected lots are both needed, before and after.", cells=counts)
    found = ols(np.column_stack([np.ones_like(group), group, period, group * period]), response)
    covariance, clusters = clustered(found, cluster)
    change = response[(group == 1) & (period == 1)].mean() - response[(group == 1) & (period == 0)].mean()
    return Difference(
        float(found.beta[3]), float(found.errors[3]), math.sqrt(float(covariance[3, 3])), clusters, float(change)
    )
