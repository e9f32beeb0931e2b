"""Few lots: answers averaged over how much lots may differ, weighted by the restricted likelihood."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from projections.mathematics.answers import Array, NoAnswer, share
from projections.mathematics.mixed.model import MixedFit, solve

FEW = 15
"""Below this many levels the uncertainty of the variance matters (statistics a.3)."""
GRID = 25
DRAWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Averaged:
    """Fits on a grid of one family's ratio t with their weights, the other ratios held at their best."""

    fits: tuple[MixedFit, ...]
    weights: Array
    family: str

    def effect(self, level: str) -> tuple[float, float]:
        """Mean and sd of one level's effect, the spread between the grid's answers included, unit of y."""
        place = self.fits[0].effects[self.family].levels.index(level)
        value = np.array([one.effects[self.family].value[place] for one in self.fits])
        spread = np.array([one.effects[self.family].pev_sd[place] for one in self.fits])
        mean = float(self.weights @ value)
        return mean, math.sqrt(float(self.weights @ (spread**2 + (value - mean) ** 2)))

    def below(self, level: str, limit: float) -> float:
        """P(effect of that level < limit | data): the quantity to rank on (statistics a.3)."""
        place = self.fits[0].effects[self.family].levels.index(level)
        total = 0.0
        for weight, one in zip(self.weights, self.fits, strict=True):
            effect = one.effects[self.family]
            gap, sd = limit - float(effect.value[place]), float(effect.pev_sd[place])
            dof = one.n - len(one.fixed)
            total += weight * (float(student.cdf(gap / sd, dof)) if sd > 0 else float(gap > 0))
        return total

    def new_unit_bound(
        self, at: Mapping[str, float], content: float, confidence: float, rng: np.random.Generator
    ) -> float:
        """Lower (p, g) bound for a unit of a new level at covariates `at`, unbalanced or not, unit of y (c.3).

        The (1-g) quantile of m - z_p sqrt(s_lot² + s²) over draws of t, s² and b; `rng` is fixed by the caller.
        """
        z = float(norm.ppf(share("content", content)))
        counts = rng.multinomial(DRAWS, self.weights)
        parts = []
        for count, one in zip(counts, self.fits, strict=True):
            dof = one.n - len(one.fixed)
            spread = one.residual * dof / rng.chisquare(dof, count)
            mean, error = one.contrast(at)
            middle = mean + error * np.sqrt(spread / one.residual) * rng.standard_normal(count)
            parts.append(middle - z * np.sqrt(spread * (1.0 + one.ratios[self.family] ** 2)))
        return float(np.quantile(np.concatenate(parts), 1.0 - share("confidence", confidence)))


def averaged(fitted: MixedFit, family: str) -> Averaged:
    """The grid in t with flat weight on s_j; raises NoAnswer `bad_input` for ML, whose likelihood is not averaged."""
    if fitted.method != "reml" or family not in fitted.ratios:
        raise NoAnswer("bad_input", f"Averaging needs a REML fit with the family {family}.")
    centre = max(fitted.ratios[family], 0.05)
    grid = np.concatenate([[0.0], centre * np.exp(np.linspace(-2.5, 2.5, GRID))])
    fits = tuple(solve(fitted.problem, {**fitted.ratios, family: float(t)}, "reml") for t in grid)
    height = np.exp(-0.5 * np.array([one.criterion - fitted.criterion for one in fits]))
    width = np.gradient(grid)
    weights = height * width
    return Averaged(fits, weights / weights.sum(), family)
