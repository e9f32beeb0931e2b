"""Local slopes of a magnet characteristic on its alloy and process parents, along the sensitivity graph."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from projections.inference.chain.properties import Properties
from projections.inference.state import Edge

OUTSIDE_RANGE = 2.0
"""Outside an edge's range of validity its 1-sigma is widened by this factor (domain.md E.6)."""
LONGEST_PATH = 3
DEFINITIONS = (
    Edge("definition:lnD2", "magnet.D", "magnet.lnD2", "log_square", 2.0, 0.0, "1 per um", source="ln(D²)"),
    Edge("definition:TRE_eff", "alloy.TRE", "alloy.TRE_eff", "linear", 1.0, 0.0, "% per %", source="C.2"),
)
"""Edges that are definitions, not experience."""
NOMINAL_GRAIN_um = 3.5
"""Where no grain size is known; it cancels in the paths that need it."""


@dataclass(frozen=True, slots=True)
class Slope:
    """d(child)/d(parent) at the parent's nominal value, with 1-sigma, and the sensitivities along the path."""

    parent: str
    value: float
    sigma: float
    refs: tuple[str, ...]
    prior: float
    prior_sigma: float


def slopes_into(child: str, edges: Sequence[Edge], nominal: Mapping[str, float]) -> dict[str, Slope]:
    """The slope of every measured parent; a direct edge is preferred to a path, the shortest path to longer ones."""
    found: dict[str, Slope] = {}
    reached: list[tuple[str, tuple[Edge, ...]]] = [(child, ())]
    every = (*edges, *DEFINITIONS)
    for _ in range(LONGEST_PATH):
        longer: list[tuple[str, tuple[Edge, ...]]] = []
        for node, path in reached:
            for edge in every:
                if edge.child != node or edge.parent.startswith("motor.") or edge in path:
                    continue
                extended = (edge, *path)
                longer.append((edge.parent, extended))
                if edge.parent in nominal and edge.parent not in found:
                    found[edge.parent] = _along(extended, nominal)
        reached = [(node, path) for node, path in longer if node not in nominal]
    return found


def _along(path: Sequence[Edge], nominal: Mapping[str, float]) -> Slope:
    """The product of local slopes; relative variances add (statistics.md c.2)."""
    at = nominal[path[0].parent]
    product, variance = 1.0, 0.0
    for edge in path:
        reaches = nominal.get(edge.child) or _level(edge, at)
        local, sigma = local_slope(edge, at, reaches)
        product *= local
        variance += (sigma / local) ** 2 if local else 0.0
        at = reaches
    sigma = abs(product) * math.sqrt(variance)
    refs = tuple(edge.sensitivity for edge in path if not edge.sensitivity.startswith("definition:"))
    return Slope(path[0].parent, product, sigma, refs, product, sigma)


def _level(edge: Edge, at: float) -> float:
    if edge.child == "magnet.D":
        return edge.mean * at if edge.form == "linear" else NOMINAL_GRAIN_um
    return 1.0


def local_slope(edge: Edge, at: float, child: float) -> tuple[float, float]:
    """Slope and 1-sigma of one edge at this parent value and child level, by its form (domain.md E.6)."""
    relative = edge.sigma / abs(edge.mean) if edge.mean else 0.0
    scale = edge.scale or 1.0
    slope = {
        "linear": edge.mean,
        "elasticity": edge.mean * child / at if at else edge.mean,
        "elasticity_per_unit": edge.mean * child,
        "saturating": edge.mean / scale * math.exp(-at / scale),
        "quadratic": 2.0 * edge.mean * at,
        "log": edge.mean * child,
        "log_square": edge.mean / at if at else 0.0,
    }.get(edge.form, 0.0)
    low, high = edge.valid_from, edge.valid_to
    outside = (low is not None and at < low) or (high is not None and at > high)
    return slope, abs(slope) * relative * (OUTSIDE_RANGE if outside else 1.0)


def learn(child: str, slopes: Mapping[str, Slope], lots: Sequence[str], known: Properties) -> dict[str, Slope]:
    """The slopes after the recorded lots: joint conjugate normal update of all parents (domain.md E.6 update rule).

    Only lots with the child and every parent measured count. Noise is the lots' residual scatter, never below what
    the certificates' uncertainty makes of it; both prior and posterior stay on record.
    """
    names = sorted(slopes)
    rows = [lot for lot in lots if all(key in known.get(lot, {}) for key in (child, *names))]
    if len(rows) < 3 or not names:
        return dict(slopes)
    x = np.array([[known[lot][key].value for key in names] for lot in rows])
    y = np.array([known[lot][child].value for lot in rows])
    x, y = x - x.mean(axis=0), y - y.mean()
    u2 = np.array([[known[lot][key].u ** 2 for key in names] for lot in rows])
    v2 = np.array([known[lot][child].u ** 2 for lot in rows])
    prior = np.array([slopes[key].value for key in names])
    precision = np.diag([1.0 / max(slopes[key].sigma, 1e-12 * abs(slopes[key].value) + 1e-300) ** 2 for key in names])
    beta = prior
    for _ in range(20):
        floor = v2 + u2 @ beta**2
        extra = max(float(np.mean((y - x @ beta) ** 2 - floor)), 0.0)
        weights = 1.0 / (floor + extra)
        total = precision + (x * weights[:, None]).T @ x
        beta = np.linalg.solve(total, precision @ prior + (x * weights[:, None]).T @ y)
    errors = np.sqrt(np.diag(np.linalg.inv(total)))
    return {
        key: Slope(
            key, float(beta[place]), float(errors[place]), slopes[key].refs, slopes[key].value, slopes[key].sigma
        )
        for place, key in enumerate(names)
    }
