"""Lots as random effects by REML: shrunken effects that rank lots, with Henderson's prediction error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projections.inference.lots.select import Merged
from projections.mathematics.answers import NoAnswer
from projections.mathematics.mixed.model import fit


@dataclass(frozen=True, slots=True)
class Shrunken:
    """By lot column: the BLUP relative to the mean of all lots, and its PEV standard error; the two variances."""

    effects: Mapping[str, tuple[float, float]]
    lot_variance: float | None
    residual_variance: float | None
    notes: tuple[str, ...] = ()


def shrunken(merged: Merged, lots: Sequence[str], benches: Sequence[str], covariate: bool) -> Shrunken:
    """One random effect per lot on its share of pieces, benches fixed (statistics.md a.2, a.3).

    Where the fixed part cannot be told apart, lots are not ranked, and a note says so.
    """
    fixed = ("1", *benches[1:], *(("dT",) if covariate else ()))
    try:
        fitted = fit(merged.cross, "y", fixed, {"lot": lots})
    except NoAnswer as none:
        return Shrunken({}, None, None, (f"Lots are not ranked: {none.detail}",))
    ranked = fitted.effects["lot"]
    values = zip(ranked.levels, ranked.value.tolist(), ranked.pev_sd.tolist(), strict=True)
    return Shrunken({lot: (value, error) for lot, value, error in values}, fitted.variances["lot"], fitted.residual)
