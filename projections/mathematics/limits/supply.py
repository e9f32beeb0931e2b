"""Least-excluding limits on the actual lots: k parents at once, both conventions of conformance, sure in share g."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from projections.mathematics.answers import Array, NoAnswer, finite, share

Convention = Literal["supply", "at_limit"]
LARGEST_GRID = 200_000
"""Up to this many combinations of limits are tried exhaustively; above it coordinates are searched in turn."""


@dataclass(frozen=True, slots=True)
class SupplyLimits:
    """A lower limit by parent (None: none needed), the share of supply excluded and the conformance reached."""

    limits: tuple[float | None, ...]
    excluded: float
    conformance: float
    convention: Convention


def supply_limits(
    values: ArrayLike,
    conforms: ArrayLike,
    target: float,
    *,
    confidence: float = 0.95,
    volume: ArrayLike | None = None,
    convention: Convention = "supply",
) -> SupplyLimits:
    """Minimize the excluded share of q lots so that accepted ones conform with `target` in share g of the draws.

    `values` (q, k): parents of each lot, signed so that more is better. `conforms` (draws, q) or (q,): each lot's
    share of conforming motors, all metrics jointly. `at_limit` asks the target of every accepted lot instead of their
    average. Raises NoAnswer `no_supply_qualifies`, `bad_input` (statistics c.3, c.5).
    """
    table = np.atleast_2d(finite("values", values))
    draws = np.atleast_2d(finite("conforms", conforms))
    q, k = table.shape
    weight = np.ones(q) if volume is None else finite("volume", volume)
    if draws.shape[1] != q or len(weight) != q or (draws < 0).any() or (draws > 1).any() or (weight < 0).any():
        raise NoAnswer("bad_input", "Every lot needs one conformance between 0 and 1 per draw, and a volume.")
    share("target", target), share("confidence", confidence)
    search = _Search(table, draws, weight, target, confidence, convention)
    steps = [np.concatenate([[-np.inf], np.unique(table[:, j])]) for j in range(k)]
    cut = search.exhaustive(steps) if np.prod([len(s) for s in steps]) <= LARGEST_GRID else search.coordinates(steps)
    if cut is None:
        raise NoAnswer("no_supply_qualifies", "No limits on these parents bring the accepted lots to the target.")
    accepted = np.asarray((table >= cut).all(axis=1))
    needed = tuple(None if np.isinf(x) or (table[:, j] >= x).all() else float(x) for j, x in enumerate(cut))
    return SupplyLimits(
        needed, 1.0 - float(weight[accepted].sum() / weight.sum()), search.reached(accepted), convention
    )


class _Search:
    def __init__(
        self, table: Array, draws: Array, weight: Array, target: float, confidence: float, convention: Convention
    ) -> None:
        self.table, self.draws, self.weight, self.target = table, draws, weight, target
        self.confidence, self.convention = confidence, convention

    def reached(self, accepted: NDArray[np.bool_]) -> float:
        """The conformance that share g of the draws exceeds."""
        if not accepted.any() or self.weight[accepted].sum() <= 0:
            return 0.0
        kept = self.draws[:, accepted]
        w = self.weight[accepted]
        each = kept @ w / w.sum() if self.convention == "supply" else kept.min(axis=1)
        return float(np.quantile(each, 1.0 - self.confidence, method="lower"))

    def cost(self, cut: Array) -> float:
        """Excluded volume, or infinity where the target is missed."""
        accepted = np.asarray((self.table >= cut).all(axis=1))
        return float(self.weight[~accepted].sum()) if self.reached(accepted) >= self.target else np.inf

    def exhaustive(self, steps: list[Array]) -> Array | None:
        """Every combination of order statistics, cheapest first exclusion kept."""
        best, cost = None, np.inf
        for point in np.array(np.meshgrid(*steps, indexing="ij")).reshape(len(steps), -1).T:
            outside = float(self.weight[~(self.table >= point).all(axis=1)].sum())
            if outside < cost and self.cost(point) < cost:
                best, cost = point, outside
        return best

    def coordinates(self, steps: list[Array]) -> Array | None:
        """One coordinate after the other from several starts, until nothing improves."""
        best, cost = None, np.inf
        for level in np.linspace(0.0, 0.9, 10):
            cut = np.array([s[round(level * (len(s) - 1))] for s in steps])
            now = np.inf
            while True:
                before = now
                for j, choices in enumerate(steps):
                    tried = [(self.cost(np.where(np.arange(len(cut)) == j, x, cut)), i) for i, x in enumerate(choices)]
                    now, place = min(tried)
                    cut[j] = choices[place] if np.isfinite(now) else cut[j]
                if not now < before:
                    break
            if now < cost:
                best, cost = cut.copy(), now
        return best
