"""Gauss-Legendre nodes and weights, computed once for each order."""

from functools import lru_cache

import numpy as np

from projections.mathematics.answers import Array


@lru_cache(maxsize=64)
def legendre(count: int) -> tuple[Array, Array]:
    """Nodes (count,) in -1..1 and their weights; read only."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights
