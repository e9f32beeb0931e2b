"""Gauge repeatability and reproducibility of parts crossed with operators, from cell sums."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from scipy.special import ndtr
from scipy.stats import f as f_distribution

from projections.mathematics.answers import NoAnswer
from projections.mathematics.moments.exact import Tally
from projections.mathematics.quadrature import legendre

Cells = Mapping[tuple[str, str], Tally]


@dataclass(frozen=True, slots=True)
class Components:
    """Variances in unit²: repeatability (gauge), reproducibility (operators), part; `grr` and `total` are sums."""

    repeatability: float
    reproducibility: float
    part: float

    @property
    def grr(self) -> float:
        """Repeatability plus reproducibility."""
        return self.repeatability + self.reproducibility

    @property
    def total(self) -> float:
        """Everything."""
        return self.grr + self.part

    @property
    def ndc(self) -> float:
        """Number of distinct categories 1.41 part/grr, not rounded (AIAG MSA 4)."""
        if self.grr <= 0.0:
            raise NoAnswer("no_variation", "The gauge does not scatter: it would tell any number of categories apart.")
        return 1.41 * math.sqrt(self.part / self.grr)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Sums of squares (unit²), F and p of the interaction, and components with and without the interaction.

    `interaction` is None with one reading per cell: then only the pooled form exists.
    """

    ss_part: float
    ss_operator: float
    ss_interaction: float
    ss_repeatability: float
    f_interaction: float | None
    p_interaction: float | None
    full: Components | None
    pooled: Components


def _layout(cells: Cells) -> tuple[list[str], list[str], int]:
    parts = sorted({part for part, _ in cells})
    operators = sorted({operator for _, operator in cells})
    sizes = {tally.n for tally in cells.values()}
    if len(parts) < 2 or len(operators) < 2:
        raise NoAnswer("too_few_levels", "A gauge study needs at least two parts and two operators.")
    if len(sizes) != 1 or len(cells) != len(parts) * len(operators):
        raise NoAnswer("bad_input", "Every operator must measure every part equally often.")
    return parts, operators, sizes.pop()


def gauge(cells: Cells) -> Gauge:
    """ANOVA method on balanced cells; negative components become zero (AIAG MSA 4th ed.).

    Raises NoAnswer `too_few_levels`, `bad_input` (unbalanced), `too_few`.
    """
    parts, operators, r = _layout(cells)
    p, o = len(parts), len(operators)
    whole = _sum(list(cells.values()))
    by_part = [_sum([cells[part, operator] for operator in operators]) for part in parts]
    by_operator = [_sum([cells[part, operator] for part in parts]) for operator in operators]
    between = _between(list(cells.values()), whole)
    ss_part, ss_operator = _between(by_part, whole), _between(by_operator, whole)
    ss_interaction = between - ss_part - ss_operator
    ss_error = sum((cell.squares() for cell in cells.values()), Fraction(0))
    df_i, df_e = (p - 1) * (o - 1), p * o * (r - 1)
    ms_part, ms_operator = ss_part / (p - 1), ss_operator / (o - 1)
    pooled_error = (ss_interaction + ss_error) / (df_i + df_e)
    pooled = Components(
        float(pooled_error),
        _positive((ms_operator - pooled_error) / (p * r)),
        _positive((ms_part - pooled_error) / (o * r)),
    )
    full, f_value, p_value = None, None, None
    if df_e > 0 and ss_error > 0:
        ms_i, ms_e = ss_interaction / df_i, ss_error / df_e
        f_value = float(ms_i / ms_e)
        p_value = float(f_distribution.sf(f_value, df_i, df_e))
        spread = _positive((ms_operator - ms_i) / (p * r)) + _positive((ms_i - ms_e) / r)
        full = Components(float(ms_e), spread, _positive((ms_part - ms_i) / (o * r)))
    squares = [float(ss) for ss in (ss_part, ss_operator, ss_interaction, ss_error)]
    return Gauge(squares[0], squares[1], squares[2], squares[3], f_value, p_value, full, pooled)


def _sum(tallies: list[Tally]) -> Tally:
    total = tallies[0]
    for tally in tallies[1:]:
        total = total.merge(tally)
    return total


def _between(groups: list[Tally], whole: Tally) -> Fraction:
    return sum((group.n * (group.mean() - whole.mean()) ** 2 for group in groups), Fraction(0))


def _positive(value: Fraction) -> float:
    return max(float(value), 0.0)


@dataclass(frozen=True, slots=True)
class AverageRange:
    """Equipment, appraiser, gauge, part and total variation (sd, unit) by averages and ranges."""

    ev: float
    av: float
    pv: float

    @property
    def grr(self) -> float:
        """sqrt(EV² + AV²)."""
        return math.hypot(self.ev, self.av)

    @property
    def tv(self) -> float:
        """sqrt(GRR² + PV²)."""
        return math.hypot(self.grr, self.pv)


def average_range(readings: Mapping[tuple[str, str], list[Fraction]]) -> AverageRange:
    """The AIAG average-and-range method with its printed constants K1 to K3 (four decimals)."""
    cells = {key: Tally.of([0] * len(values)) for key, values in readings.items()}
    parts, operators, r = _layout(cells)
    if r < 2:
        raise NoAnswer("too_few", "A range needs at least two readings.")
    mean_range = sum((max(v) - min(v) for v in readings.values()), Fraction(0)) / len(readings)

    def mean(keys: list[tuple[str, str]]) -> Fraction:
        values = [value for key in keys for value in readings[key]]
        return sum(values, Fraction(0)) / len(values)

    operator_means = [mean([(part, operator) for part in parts]) for operator in operators]
    part_means = [mean([(part, operator) for operator in operators]) for part in parts]
    ev = float(mean_range) * round(1.0 / range_moments(r)[0], 4)
    spread = float(max(operator_means) - min(operator_means)) * _k(len(operators))
    av = math.sqrt(max(spread**2 - ev**2 / (len(parts) * r), 0.0))
    return AverageRange(ev, av, float(max(part_means) - min(part_means)) * _k(len(parts)))


def _k(size: int) -> float:
    """1/d2* for one sample of that size, to the four decimals of the AIAG tables."""
    mean, sd = range_moments(size)
    return round(1.0 / math.hypot(mean, sd), 4)


@lru_cache(maxsize=64)
def range_moments(n: int) -> tuple[float, float]:
    """Mean d2 and sd d3 of the range of n unit normals (Tippett 1925), by quadrature."""
    nodes, weights = legendre(200)
    x, w = 9.0 * nodes, 9.0 * weights
    below = ndtr(x)
    mean = float(w @ (1.0 - below**n - (1.0 - below) ** n))
    share = 0.5 * (nodes + 1.0)
    low = -9.0 + (x[:, None] + 9.0) * share[None, :]
    weight = w[:, None] * (x[:, None] + 9.0) * 0.5 * weights[None, :]
    gap = np.clip(below[:, None] - ndtr(low), 0.0, 1.0)
    inside = 1.0 - below[:, None] ** n - ndtr(-low) ** n + gap**n
    square = 2.0 * float((weight * inside).sum())
    return mean, math.sqrt(square - mean * mean)
