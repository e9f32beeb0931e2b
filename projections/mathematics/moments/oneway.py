"""One-way analysis of variance from one tally for each group."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy.stats import f as f_distribution

from projections.mathematics.answers import NoAnswer
from projections.mathematics.moments.exact import Tally, root


@dataclass(frozen=True, slots=True)
class OneWay:
    """Sums of squares (exact rationals, unit²), degrees of freedom, F, its p value, R² and residual sd (unit)."""

    ss_between: Fraction
    ss_within: Fraction
    df_between: int
    df_within: int
    f: float
    p: float
    r_squared: float
    residual_sd: float


def one_way(groups: Sequence[Tally]) -> OneWay:
    """Raises NoAnswer `too_few_levels`, `too_few`, `no_variation` (nothing scatters within the groups)."""
    kept = [group for group in groups if group.n]
    if len(kept) < 2:
        raise NoAnswer("too_few_levels", "One group cannot be compared with others.")
    whole = kept[0]
    for group in kept[1:]:
        whole = whole.merge(group)
    within = sum((group.squares() for group in kept), Fraction(0))
    between = whole.squares() - within
    df_between, df_within = len(kept) - 1, whole.n - len(kept)
    if df_within < 1:
        raise NoAnswer("too_few", "No group holds two values.")
    if within == 0:
        raise NoAnswer("no_variation", "Nothing scatters within the groups.")
    ratio = float(between / df_between / (within / df_within))
    p = float(f_distribution.sf(ratio, df_between, df_within))
    spread = root(within / df_within)
    return OneWay(between, within, df_between, df_within, ratio, p, float(between / (between + within)), spread)
