"""The bias of a supplier's laboratory, from paired certificate and incoming-inspection readings of the same lots."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from projections.mathematics.answers import NoAnswer
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.model import MixedFit, fit
from projections.mathematics.moments.exact import Tally


@dataclass(frozen=True, slots=True, eq=False)
class Biases:
    """Bias by laboratory (certificate minus inspection, unit), its sd, and the fit that they come from."""

    value: dict[str, float]
    sd: dict[str, float]
    common: float
    fitted: MixedFit


def laboratory_bias(differences: Mapping[str, Tally]) -> Biases:
    """Laboratories as a random effect on n, sum and sum of squares of the differences (statistics b.3).

    Raises NoAnswer `too_few_levels` (one laboratory: its bias and the lots' property are aliased), `too_few`.
    """
    names = [name for name, tally in differences.items() if tally.n > 0]
    if len(names) < 2:
        raise NoAnswer("too_few_levels", "With one laboratory, bias and property of its lots are aliased.")
    k = len(names) + 2
    matrix = np.zeros((k, k))
    for place, name in enumerate(names):
        tally = differences[name]
        total = float(tally.mean()) * tally.n
        matrix[place, place] = tally.n
        matrix[place, k - 2] = matrix[k - 2, place] = tally.n
        matrix[place, k - 1] = matrix[k - 1, place] = total
        matrix[k - 2, k - 2] += tally.n
        matrix[k - 2, k - 1] += total
        matrix[k - 1, k - 1] += float(tally.squares()) + total * float(tally.mean())
    matrix[k - 1, k - 2] = matrix[k - 2, k - 1]
    cross = CrossProducts((*names, "1", "difference"), matrix, int(matrix[k - 2, k - 2]))
    found = fit(cross, "difference", ["1"], {"laboratory": names})
    effects = found.effects["laboratory"]
    common = found.fixed["1"]
    value = dict(zip(effects.levels, (common + effects.value).tolist(), strict=True))
    return Biases(value, dict(zip(effects.levels, effects.cond_sd.tolist(), strict=True)), common, found)
